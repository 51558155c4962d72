"""The actions of the Residual limb perspective: measuring, colours, and corrections in 3D."""

from limbstudio.ui.action_row import ActionRow, Owner, Where

_M = Owner.MEASURING
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
)
# fmt: on
