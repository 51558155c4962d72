"""The parts of the canvas: items, the people on it, the photo's pixels, the mouse and the keys."""
