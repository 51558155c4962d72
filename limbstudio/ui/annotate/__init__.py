"""The parts of the Annotate page: reading the photo, the guide, the edits of points, the fit, and what floats."""
