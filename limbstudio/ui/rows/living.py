"""The actions of the living body: following, fits that start by themselves, options, candidates and comparison."""

from limbstudio.ui.action_row import ActionRow, Owner, Where

_L, _C, _O, _P = Owner.LIVING, Owner.COMPARING, Owner.FIT_OPTIONS, Owner.PREDICTING
_CANVAS, _MESH = Where.CANVAS, Where.MESH

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("body_follows", "Body follows while you drag", "ph.person-simple", "set_follows", "Person/Fit",
              ("Shift+F",), _L, _CANVAS, group=4, checkable=True, synonyms="live drag living"),
    ActionRow("large_body", "Body large, beside the canvas", "ph.arrows-out-simple", "set_large", "View",
              ("Ctrl+Shift+V",), _L, _CANVAS, group=2, checkable=True, synonyms="3d split main view inset"),
    ActionRow("self_fit_never", "Only when asked", "", "fit_never", "Person/Fit by itself", (), _L, group=4,
              checkable=True, synonyms="automatic fit never"),
    ActionRow("self_fit_after_edit", "After each edit, from 8 points on", "", "fit_after_edit",
              "Person/Fit by itself", (), _L, group=4, checkable=True, synonyms="automatic fit always"),
    ActionRow("self_fit_on_ready", "When marked ready", "", "fit_on_ready", "Person/Fit by itself", (), _L, group=4,
              checkable=True, synonyms="automatic fit"),
    ActionRow("flip_fit", "Front or back: the other explanation", "ph.swap", "flip", "Person/Fit", ("B",), _C, _CANVAS,
              group=4, needs="fit", synonyms="flip turn round mirror ambiguous"),
    ActionRow("candidates", "Earlier fits", "ph.stack", "show_candidates", "Person/Fit", ("Ctrl+Shift+F",), _C,
              group=4, checkable=True, needs="fit", synonyms="candidates results metrics choose delete"),
    ActionRow("predict_body", "Predict limbs and body (AJAHR)", "ph.sparkle", "predict", "Person/Fit", ("Ctrl+Alt+I",),
              _P, group=4, needs="predictable", synonyms="ajahr network pose prediction limbs initialise"),
    ActionRow("prediction_settings", "Prediction settings...", "", "ask_settings", "Person/Fit", (), _P, group=4,
              synonyms="threshold ajahr probability bpac unsure limb proposals weights released"),
    ActionRow("fit_options", "Fit options...", "ph.sliders-horizontal", "show_options", "Person/Fit", ("Shift+O",), _O,
              _CANVAS, group=4, needs="person", synonyms="stature focal length posture initialiser settings"),
    ActionRow("pin_point", "Pin this point in the picture", "ph.push-pin", "pin_in_picture", "Person/Fit", ("P",), _O,
              _CANVAS, group=4, needs="point", synonyms="fix hold joint"),
    ActionRow("pin_joint", "Pin this joint in space", "ph.push-pin", "pin_in_space", "Person/Fit", ("Ctrl+L",), _O,
              _CANVAS, group=4, needs="point", synonyms="fix hold 3d"),
    ActionRow("lock_shape", "Hold the body's shape", "ph.lock-simple", "lock_shape", "Person/Fit", ("L",), _O, _CANVAS,
              group=4, needs="person", checkable=True, synonyms="lock fix betas"),
    ActionRow("compare_cycle", "Compare: one, side by side, blink", "ph.stack", "cycle", "Limb/Compare", ("W",), _C,
              _MESH, group=3, needs="earlier_fits", synonyms="two bodies candidates"),
    ActionRow("compare_difference", "Difference as colours", "ph.scales", "toggle_difference", "Limb/Compare",
              ("D",), _C, _MESH, group=3, needs="earlier_fits", checkable=True, synonyms="distance map"),
)
# fmt: on
