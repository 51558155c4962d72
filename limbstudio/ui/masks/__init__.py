"""Masks on the canvas: layers, and the tools that draw them."""
