"""The actions of the canvas: how the photo is seen, several points selected, picked and moved as one."""

from limbstudio.ui.action_row import ActionRow, Owner, Where

_V, _S = Owner.CANVAS, Owner.SELECTION
_CANVAS = Where.CANVAS

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("turn_right", "Turn right by 15°", "ph.arrow-clockwise", "turn_right", "View/Turn the photo",
              ("Shift+E",), _V, _CANVAS, group=1, needs="photo", synonyms="rotate view clockwise"),
    ActionRow("turn_left", "Turn left by 15°", "ph.arrow-counter-clockwise", "turn_left", "View/Turn the photo",
              ("Shift+Q",), _V, _CANVAS, group=1, needs="photo", synonyms="rotate view counterclockwise"),
    ActionRow("turn_right_90", "Turn right by 90°", "ph.arrow-clockwise", "turn_right_90", "View/Turn the photo",
              ("Ctrl+Right",), _V, _CANVAS, group=1, needs="photo", synonyms="rotate view quarter"),
    ActionRow("turn_left_90", "Turn left by 90°", "ph.arrow-counter-clockwise", "turn_left_90",
              "View/Turn the photo", ("Ctrl+Left",), _V, _CANVAS, group=1, needs="photo",
              synonyms="rotate view quarter"),
    ActionRow("turn_upright", "Upright", "ph.arrow-up", "turn_upright", "View/Turn the photo", ("Shift+Home",), _V,
              _CANVAS, group=1, needs="photo", synonyms="rotate reset"),
    ActionRow("keep_view", "Keep zoom and place between photos", "ph.lock-simple", "set_keep_view", "View",
              ("Shift+K",), _V, _CANVAS, group=1, checkable=True, synonyms="zoom stay next"),
    ActionRow("minimap", "Minimap when zoomed in", "ph.map-trifold", "set_minimap", "View/Over the photo",
              ("Shift+Z",), _V, _CANVAS, group=2, checkable=True, synonyms="overview navigator"),
    ActionRow("solo", "Show this person only", "ph.user-focus", "set_solo", "View/Over the photo", ("Shift+H",), _V,
              _CANVAS, group=2, needs="person", checkable=True, synonyms="solo hide other people"),

    ActionRow("tones", "Brightness, contrast, gamma", "ph.sun", "set_tones", "View/Tones of the photo", ("Shift+T",),
              _V, _CANVAS, group=2, needs="photo", checkable=True, synonyms="light dark picture adjust exposure"),
    ActionRow("brighter", "Brighter", "ph.sun", "brighter", "View/Tones of the photo", ("Ctrl+Up",), _V, _CANVAS,
              group=2, needs="photo", synonyms="brightness"),
    ActionRow("darker", "Darker", "ph.sun-dim", "darker", "View/Tones of the photo", ("Ctrl+Down",), _V, _CANVAS,
              group=2, needs="photo", synonyms="brightness"),
    ActionRow("more_contrast", "More contrast", "ph.circle-half", "more_contrast", "View/Tones of the photo",
              ("Ctrl+Shift+Up",), _V, _CANVAS, group=2, needs="photo"),
    ActionRow("less_contrast", "Less contrast", "ph.circle-half", "less_contrast", "View/Tones of the photo",
              ("Ctrl+Shift+Down",), _V, _CANVAS, group=2, needs="photo"),
    ActionRow("raise_gamma", "Lift the shadows (gamma up)", "ph.sun-horizon", "raise_gamma", "View/Tones of the photo",
              ("Ctrl+Shift+Right",), _V, _CANVAS, group=2, needs="photo"),
    ActionRow("lower_gamma", "Deepen the shadows (gamma down)", "ph.sun-horizon", "lower_gamma",
              "View/Tones of the photo", ("Ctrl+Shift+Left",), _V, _CANVAS, group=2, needs="photo"),
    ActionRow("grey", "Shades of grey", "ph.drop-half", "set_grey", "View/Tones of the photo", ("Shift+Y",), _V,
              _CANVAS, group=2, needs="photo", checkable=True, synonyms="greyscale grayscale black white"),
    ActionRow("plain_tones", "Tones as in the file", "ph.arrow-counter-clockwise", "plain_tones",
              "View/Tones of the photo", ("Shift+Backspace",), _V, _CANVAS, group=2, needs="photo",
              synonyms="reset brightness contrast gamma"),

    ActionRow("select_all", "Select all points", "ph.selection-all", "select_all", "Edit", ("Ctrl+A",), _S, _CANVAS,
              group=2, needs="person"),
    ActionRow("pick_point", "Pick a point by its name", "ph.magnifying-glass", "pick_point", "Person/Point", ("F3",),
              _S, _CANVAS, group=1, needs="person", synonyms="find type go to"),
    ActionRow("state_ring", "Ring of states", "ph.circles-three", "show_ring", "Person/Point state",
              ("Shift+S", "Num+/"), _S, _CANVAS, group=1, needs="person", synonyms="menu pie radial"),
    ActionRow("reshape", "Move, turn, scale by numbers...", "ph.arrows-out-cardinal", "set_reshape", "Edit/Selection",
              ("Ctrl+T",), _S, _CANVAS, group=2, needs="person", checkable=True, synonyms="transform rotate mirror"),
    ActionRow("points_turn_right", "Turn right by 5°", "ph.arrow-clockwise", "turn_points_right", "Edit/Selection",
              ("Ctrl+PgDown",), _S, _CANVAS, group=2, needs="person", synonyms="rotate points person"),
    ActionRow("points_turn_left", "Turn left by 5°", "ph.arrow-counter-clockwise", "turn_points_left",
              "Edit/Selection", ("Ctrl+PgUp",), _S, _CANVAS, group=2, needs="person", synonyms="rotate points person"),
    ActionRow("points_larger", "Larger by 5 %", "ph.arrows-out", "larger_points", "Edit/Selection",
              ("Ctrl+Shift+PgUp",), _S, _CANVAS, group=2, needs="person", synonyms="scale points person"),
    ActionRow("points_smaller", "Smaller by 5 %", "ph.arrows-in", "smaller_points", "Edit/Selection",
              ("Ctrl+Shift+PgDown",), _S, _CANVAS, group=2, needs="person", synonyms="scale points person"),
    ActionRow("points_mirror", "Mirror left to right", "mdi6.flip-horizontal", "mirror_points", "Edit/Selection",
              ("Ctrl+M",), _S, _CANVAS, group=2, needs="person", synonyms="flip points person"),
    ActionRow("points_mirror_down", "Mirror top to bottom", "mdi6.flip-vertical", "mirror_points_down",
              "Edit/Selection", ("Ctrl+Shift+M",), _S, _CANVAS, group=2, needs="person", synonyms="flip points person"),
)
# fmt: on
