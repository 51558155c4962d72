"""What each tool is for: two sentences, the actions whose keys go with it, a drawn example."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ToolCard:
    """words: what the tool does and how. more: ids of actions whose keys are shown beside the tool's own.

    hands: what mouse and keys without an action do, as (key, words).
    """

    words: str
    more: tuple[str, ...] = ()
    hands: tuple[tuple[str, str], ...] = ()


_APPLY = (("Enter", "Apply"),)
_SIZES = ("brush_larger", "brush_smaller", "undo")
# By keys: the crosshair on the photo, the cursor on the limb.
_STROKES = (("Arrows", "Move the crosshair"), ("Space", "Begin and end a stroke"), ("Enter", "One dab"))
_ON_LIMB = (("Arrows", "Move 1 mm over the limb"), ("Space", "Begin and end a stroke"), ("Enter", "One dab"))

CARDS: Mapping[str, ToolCard] = {
    "select": ToolCard(
        "Click a point to select it, drag it to move it. Drag over the photo to select several points.",
        ("clear_point", "next_point", "state_ring"),
        (
            ("Arrows", "Move 1 px"),
            ("Shift Arrows", "Move 10 px"),
            ("Ctrl Drag", "Take along all that hangs on it"),
        ),
    ),
    "guided": ToolCard(
        "Asks for one point after the other, limb differences first. Click where the point is; the dashed circle "
        "is only a guess.",
        ("step_back", "state_occluded"),
        (("Space", "Skip this point"), ("Enter", "Place at the crosshair")),
    ),
    "draw_box": ToolCard(
        "Drag from one corner of the person to the other. The box tells people apart and where a body may be.",
        ("new_person",),
        (("Arrows", "Move the crosshair"), ("Space", "Set a corner"), ("Esc", "Leave the box as it is")),
    ),
    "swap_limb": ToolCard(
        "Exchanges left and right of the limb that the selected point belongs to.", ("undo",)
    ),
    "swap_body": ToolCard(
        "Exchanges left and right of the whole person, limbs' records included.", ("undo",)
    ),
    "loupe": ToolCard(
        "Shows what lies under the pointer, four times as large, while a point is placed or moved."
    ),
    "overlay": ToolCard(
        "Lays the fitted body over the photo, so that you see where it does not fit.", ("fit_body",)
    ),
    "inset": ToolCard("Shows the fitted body in a corner. A double click opens it in the other perspective."),
    "names": ToolCard("Writes every point's name beside it, not only the selected one's."),
    "tones": ToolCard(
        "Makes the photo brighter, darker or richer in contrast while you look at it. The file stays as it is.",
        ("brighter", "darker", "plain_tones"),
    ),
    "state_ring": ToolCard(
        "The seven states around the selected point. Choose by mouse, or by the digit.",
        ("state_visible", "state_occluded", "state_absent"),
        (("Right click", "Open the ring"),),
    ),
    "reshape": ToolCard(
        "Moves, turns, scales or mirrors the selected points by numbers.",
        ("points_turn_right", "points_larger", "points_mirror"),
    ),
    "mask_polygon": ToolCard(
        "Click around what belongs to the layer; click the first corner, or press Enter, to close the outline.",
        ("mask_next_layer", "masks"),
        (
            ("Arrows", "Move the crosshair"),
            ("Space", "Set a corner"),
            ("Enter", "Close the outline"),
            ("Backspace", "Take the last corner back"),
        ),
    ),
    "mask_brush": ToolCard(
        "Paint what belongs to the layer. The circle is the brush.",
        ("mask_larger", "mask_smaller", "mask_next_layer"),
        (*_STROKES, ("Ctrl Wheel", "Size of the brush")),
    ),
    "mask_eraser": ToolCard(
        "Takes away what was painted too much.",
        ("mask_larger", "mask_smaller"),
        (*_STROKES, ("Ctrl Wheel", "Size of the brush")),
    ),
    "mask_grab_cut": ToolCard(
        "Finds the person's outline from the box and the points. Mend what is wrong with brush and eraser.",
        ("mask_brush", "mask_eraser", "undo"),
    ),
    "girth_ring": ToolCard(
        "Measures around the residual limb. Drag the ring along the limb, or move it in steps of 5 mm.",
        ("ring_up", "ring_down"),
    ),
    "tape": ToolCard(
        "Measures between two places on the skin: click one, then the other.",
        ("girth_ring",),
        (("Arrows", "Move 1 mm over the limb"), ("Space", "Set a place")),
    ),
    "section_card": ToolCard(
        "Shows the limb cut at the ring: its outline, girth, area and widths.",
        ("girth_ring", "ring_up", "ring_down"),
    ),
    "limb_end": ToolCard(
        "Moves the end of the residual limb along its bone: drag the arrow, or type the length. The point in the "
        "photo stays.",
        ("move_label", "undo"),
        _APPLY,
    ),
    "cut_plane": ToolCard(
        "Moves and tilts the plane on which the limb's end stands, by its handles or by numbers.",
        ("undo",),
        _APPLY,
    ),
    "tip_shape": ToolCard(
        "Makes the end conical, cylindrical or bulbous, flatter or rounder, with or without a fold.",
        ("undo",),
        _APPLY,
    ),
    "brush_pull": ToolCard("Draws the skin out under the brush.", _SIZES, _ON_LIMB),
    "brush_push": ToolCard("Presses the skin in under the brush.", _SIZES, _ON_LIMB),
    "brush_smooth": ToolCard("Evens out what is rough under the brush.", _SIZES, _ON_LIMB),
    "brush_inflate": ToolCard("Makes the limb fuller on all sides under the brush.", _SIZES, _ON_LIMB),
    "brush_flatten": ToolCard("Levels what stands out under the brush.", _SIZES, _ON_LIMB),
    "mirror_other": ToolCard(
        "Gives the limb's wall the shape of the other side, mirrored.", ("undo",), _APPLY
    ),
    "reset_here": ToolCard("Sets a place back to what the fit made of it.", _SIZES),
    "solo_limb": ToolCard("Hides the rest of the body, so that the residual limb is seen from all sides."),
    "linked_views": ToolCard("Shows the body from several sides at once; a double click changes places."),
}


def every_sentence() -> tuple[str, ...]:
    """Return all English words of the cards, for the catalogues."""
    parts = [card.words for card in CARDS.values()]
    parts += [word for card in CARDS.values() for pair in card.hands for word in pair]
    return tuple(dict.fromkeys(parts))
