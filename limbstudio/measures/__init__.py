"""Clinical measurements of a residual limb, from its mesh; pure functions in metres."""
