"""The actions for every hand: keys and profiles, numbered menu, moving without arrows, switches, proposed points."""

from limbstudio.ui.action_row import ActionRow, Owner, Where

_K, _S, _P = Owner.SHORTCUTS, Owner.SWITCHES, Owner.PROPOSALS
_CANVAS, _MESH = Where.CANVAS, Where.MESH

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("edit_shortcuts", "Change shortcuts...", "ph.keyboard", "edit_shortcuts", "Edit", ("Ctrl+Shift+K",), _K,
              group=6, synonyms="keys editor conflict rebind keyboard hotkeys"),
    *(ActionRow(f"profile_{profile}", text, "", f"use_{profile}", "Edit/Keys for", (), _K, group=6, checkable=True,
                synonyms="profile shortcuts hand keyboard accessibility") for profile, text in (
                    ("right_handed", "Mouse in the right hand"), ("left_handed", "Mouse in the left hand"),
                    ("one_hand_numbers", "One hand with a number pad"), ("one_hand_left", "The left hand alone"),
                    ("one_hand_right", "The right hand alone"), ("switch", "A switch or pedal"))),
    ActionRow("switch_settings", "Switch, pedal and resting pointer...", "ph.sliders-horizontal", "show_settings",
              "Edit", ("Ctrl+Alt+S",), _S, group=6, synonyms="scan scanning dwell pace accessibility"),
    ActionRow("dwell", "Place by resting the pointer", "ph.timer", "set_dwell", "Edit", ("Ctrl+Alt+R",), _S, group=6,
              checkable=True, synonyms="dwell head eye tracker click"),
    ActionRow("scan_next", "Next choice", "ph.arrow-square-right", "next_choice", "Edit/Switch", (), _S, group=6,
              synonyms="switch pedal scan step"),
    ActionRow("scan_take", "Take this choice", "ph.check-circle", "take_choice", "Edit/Switch", (), _S, group=6,
              synonyms="switch pedal scan select"),
    ActionRow("number_menu", "Numbered menu", "ph.list-numbers", "show_number_menu", "Help", ("F4",), _K,
              synonyms="ring quick digits one hand"),
    ActionRow("next_pane", "Next part of the window", "ph.arrow-square-right", "next_pane", "View/Panels", ("F6",), _K,
              group=3, synonyms="focus panel keyboard"),
    ActionRow("previous_pane", "Previous part of the window", "ph.arrow-square-left", "previous_pane", "View/Panels",
              ("Shift+F6",), _K, group=3, synonyms="focus panel keyboard"),

    *(ActionRow(f"move_{way}", f"Move {way}", f"ph.arrow-{way}", f"move_{way}", "Person/Crosshair by keys", (), _K,
                _CANVAS, group=1, needs="photo", synonyms="crosshair nudge point") for way in (
                    "left", "right", "up", "down")),
    ActionRow("place_here", "Place at the crosshair", "ph.crosshair", "place_here", "Person/Crosshair by keys", (),
              _K, _CANVAS, group=1, needs="photo", synonyms="enter point"),
    *(ActionRow(f"orbit_{way}", f"Orbit {way}", f"ph.arrow-{way}", f"orbit_{way}", "Limb/Orbit", (), _K, _MESH,
                group=3, needs="fit", synonyms="turn 3d view") for way in ("left", "right", "up", "down")),

    ActionRow("accept_proposals", "Take all proposed points", "ph.checks", "accept_all", "Person", ("Y",), _P, _CANVAS,
              needs="proposals", synonyms="accept prediction suggested confirm yes"),
    ActionRow("proposals", "Proposed points of the fitted body", "ph.circle-dashed", "set_proposals",
              "View/Over the photo", ("Shift+B",), _P, _CANVAS, group=2, checkable=True,
              synonyms="prediction suggested dotted"),
)
# fmt: on
