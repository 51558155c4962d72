"""Synthetic people with limb loss, after A3D: body, pose, residual limb, clothes, a place, and the truth."""
