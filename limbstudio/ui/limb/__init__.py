"""The Residual limb perspective by subject.

work: which limb is in work, its corrected mesh, its ring; asks for corrections. scene: what of it is in the 3D view.
toolbox: rail, options bar, who has the mouse. overlay: what is drawn over pictures of the limb. measuring with
measuring_tools, section_card, linked, colours: ring, section, tape, views. correcting with brush_tool, cut_tools,
shape_tools, corrections_list: tools that make edits. strip: the validity strip. bench: `limbstudio bench limb`.
"""
