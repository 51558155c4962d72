"""The Residual limb perspective by subject.

work: which limb is in work, its corrected mesh, its ring; asks for corrections. scene: what of it is in the 3D view.
tools, ring, tape, brushes: tools of the view. pieces: rail, options, validity strip, linked views, panel.
"""
