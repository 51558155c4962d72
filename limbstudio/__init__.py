"""LimbStudio: from photos of people with limb loss to 3D bodies with watertight residual limbs."""

__version__ = "0.1.0"
