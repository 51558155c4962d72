"""Pictures without a window: silhouettes, overlays, views of a body, and synthetic people."""
