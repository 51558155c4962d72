"""The actions on masks."""

from limbstudio.ui.action_row import ActionRow, Owner, Where

_M, _CANVAS = Owner.MASKS, Where.CANVAS

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("masks", "Masks over the photo", "ph.selection-background", "set_masks", "View/Over the photo",
              ("Shift+F8",), _M, _CANVAS, group=2, checkable=True, synonyms="layers show hide silhouette"),
    ActionRow("mask_polygon", "Outline a mask", "ph.polygon", "set_polygon", "Person/Mask", ("F7",), _M, _CANVAS,
              group=5, needs="person", checkable=True, synonyms="polygon lasso segment"),
    ActionRow("mask_brush", "Brush a mask", "ph.paint-brush", "set_brush", "Person/Mask", ("F8",), _M, _CANVAS,
              group=5, needs="person", checkable=True, synonyms="paint segment"),
    ActionRow("mask_eraser", "Erase from a mask", "ph.eraser", "set_eraser", "Person/Mask", ("F9",), _M, _CANVAS,
              group=5, needs="person", checkable=True, synonyms="rub out"),
    ActionRow("mask_larger", "Larger brush", "ph.plus-circle", "larger_brush", "Person/Mask", ("PgUp",), _M, _CANVAS,
              group=5, needs="mask_tool"),
    ActionRow("mask_smaller", "Smaller brush", "ph.minus-circle", "smaller_brush", "Person/Mask", ("PgDown",), _M,
              _CANVAS, group=5, needs="mask_tool"),
    ActionRow("mask_next_layer", "Next mask layer", "ph.stack", "next_layer", "Person/Mask", ("Shift+F7",), _M, _CANVAS,
              group=5, needs="person", synonyms="residual limb prosthesis occluder person"),
    ActionRow("mask_grab_cut", "Find the person's outline", "ph.magic-wand", "grab_cut", "Person/Mask", ("Shift+F9",),
              _M, _CANVAS, group=5, needs="person", synonyms="grabcut segment automatic"),
    ActionRow("mask_clear", "Delete this mask layer", "ph.trash", "clear_layer", "Person/Mask", (), _M, group=5,
              needs="mask"),
)
# fmt: on
