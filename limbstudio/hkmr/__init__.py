"""HKMR (Georgakis et al., ECCV 2020): body pose regressed chain by chain along the kinematic tree."""
