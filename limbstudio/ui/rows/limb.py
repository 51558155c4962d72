"""The actions of the Residual limb perspective: measuring, colours, and corrections in 3D."""

from limbstudio.ui.action_row import ActionRow, Owner, Where

_M, _C = Owner.MEASURING, Owner.CORRECTING
_MESH = Where.MESH
_HERE = "residual_limb"

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("next_limb", "Next residual limb", "ph.caret-right", "next_limb", "Limb", ("N",), _M, _MESH, group=4,
              needs="fit", synonyms="other limb choose"),
    ActionRow("girth_ring", "Girth ring", "mdi6.ring", "set_ring", "Limb/Measure", ("G",), _M, _MESH, group=4,
              needs=_HERE, checkable=True, synonyms="circumference girth tape"),
    ActionRow("ring_up", "Ring 5 mm towards the body", "ph.arrow-up", "ring_up", "Limb/Measure", ("Shift+PgUp",), _M,
              _MESH, group=4, needs=_HERE, synonyms="girth move"),
    ActionRow("ring_down", "Ring 5 mm towards the end", "ph.arrow-down", "ring_down", "Limb/Measure",
              ("Shift+PgDown",), _M, _MESH, group=4, needs=_HERE, synonyms="girth move"),
    ActionRow("tape", "Measuring tape", "mdi6.tape-measure", "set_tape", "Limb/Measure", ("T",), _M, _MESH, group=4,
              needs=_HERE, checkable=True, synonyms="distance length"),
    ActionRow("section_card", "Section, large", "ph.ruler", "set_section_card", "Limb/Measure", ("S",), _M, _MESH,
              group=4, needs=_HERE, checkable=True, synonyms="outline area ml ap cross-section"),
    ActionRow("solo_limb", "This limb alone", "ph.eye", "set_solo", "Limb/View", ("Q",), _M, _MESH, group=3,
              needs=_HERE, checkable=True, synonyms="hide body isolate"),
    ActionRow("linked_views", "Linked views", "ph.squares-four", "set_linked_views", "Limb/View", ("L",), _M, _MESH,
              group=3, checkable=True, synonyms="front side back photo"),
    ActionRow("colours_plain", "Plain", "", "colours_plain", "Limb/Colours", (), _M, group=4, needs=_HERE,
              checkable=True, synonyms="solid colour map"),
    ActionRow("colours_residual", "Distance from the mask", "", "colours_residual", "Limb/Colours", (), _M, group=4,
              needs=_HERE, checkable=True, synonyms="residual colour map outline"),
    ActionRow("colours_edited", "Distance from the fit's own surface", "", "colours_edited", "Limb/Colours", (), _M,
              group=4, needs=_HERE, checkable=True, synonyms="difference edited colour map two meshes"),
    ActionRow("colours_doubt", "Uncertainty along the ray", "", "colours_doubt", "Limb/Colours", (), _M, group=4,
              needs=_HERE, checkable=True, synonyms="depth doubt colour map"),
    ActionRow("colours_next", "Next colours", "ph.palette", "colours_next", "Limb/Colours", ("Shift+D",), _M, _MESH,
              group=4, needs=_HERE, synonyms="colour map cycle"),

    ActionRow("limb_end", "End along the limb", "ph.anchor-simple", "set_end", "Limb/Correct", ("E",), _C, _MESH,
              group=5, needs=_HERE, checkable=True, synonyms="length lambda shorten lengthen correction"),
    ActionRow("cut_plane", "Cut plane", "ph.scissors", "set_plane", "Limb/Correct", ("C",), _C, _MESH, group=5,
              needs=_HERE, checkable=True, synonyms="tilt correction"),
    ActionRow("tip_shape", "Shape of the end", "mdi6.egg-outline", "set_tip", "Limb/Correct", ("K",), _C, _MESH,
              group=5, needs=_HERE, checkable=True, synonyms="tip conical cylindrical bulbous roundness fold"),
    *(ActionRow(f"brush_{brush}", words, icon, f"set_{brush}", "Limb/Correct", (key,), _C, _MESH, group=5,
                needs=_HERE, checkable=True, synonyms="brush sculpt correction") for brush, words, icon, key in (
                    ("pull", "Pull", "mdi6.arrow-expand-up", "A"), ("push", "Push", "mdi6.arrow-collapse-down", "Z"),
                    ("smooth", "Smooth", "ph.waves", "X"), ("inflate", "Inflate", "mdi6.arrow-expand-all", "V"),
                    ("flatten", "Flatten", "mdi6.format-vertical-align-center", "B"))),
    ActionRow("mirror_other", "Mirror the other side", "mdi6.mirror", "set_mirror", "Limb/Correct", ("M",), _C, _MESH,
              group=5, needs=_HERE, checkable=True, synonyms="symmetry correction"),
    ActionRow("reset_here", "Reset here", "ph.arrow-counter-clockwise", "set_reset", "Limb/Correct", ("R",), _C,
              _MESH, group=5, needs=_HERE, checkable=True, synonyms="undo place correction"),
    ActionRow("brush_larger", "Larger brush", "ph.plus-circle", "larger_brush", "Limb/Correct", ("PgUp",), _C, _MESH,
              group=5, needs=_HERE, synonyms="size"),
    ActionRow("brush_smaller", "Smaller brush", "ph.minus-circle", "smaller_brush", "Limb/Correct", ("PgDown",), _C,
              _MESH, group=5, needs=_HERE, synonyms="size"),
    ActionRow("move_label", "Move label too", "ph.push-pin", "move_label", "Limb", ("Shift+L",), _C, _MESH, group=5,
              needs="end_corrected", synonyms="end point photo correction"),
    ActionRow("drop_correction", "Remove this correction", "ph.x", "drop", "Limb", ("Del",), _C, _MESH, group=5,
              needs="corrections", synonyms="delete"),
    ActionRow("reapply", "Reapply the corrections", "ph.arrows-clockwise", "reapply", "Limb", ("Shift+R",), _C, _MESH,
              group=5, needs="corrections", synonyms="replay again"),
    ActionRow("clear_corrections", "Remove all corrections of this limb", "ph.eraser", "clear", "Limb", (), _C,
              group=5, needs="corrections", synonyms="reset limb"),
)
# fmt: on
