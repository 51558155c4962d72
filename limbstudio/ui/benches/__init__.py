"""Measurements of the window: large projects, walking through photos, opening and closing."""
