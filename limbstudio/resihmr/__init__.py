"""ResiHMR: bodies and residual limbs from one photo, by optimisation."""
