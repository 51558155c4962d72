"""The panels beside the canvas and the 3D view; each is given what it needs."""
