"""AJAHR (Cho et al., ICCV 2025): body meshes of people with limb loss; which limbs are missing, and zeroed rotations.

Written anew from a description of the published behaviour; it holds no line of the authors' code and none of their
weights, which are under a licence of their own.
"""
