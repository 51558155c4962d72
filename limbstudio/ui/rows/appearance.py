"""The actions on how the window looks: its theme and how large what is pressed is."""

from limbstudio.ui.action_row import ActionRow, Owner

_A = Owner.APPEARANCE

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("theme", "Switch between dark and light", "ph.moon", "switch_theme", "View/Theme", ("Ctrl+Alt+D",), _A,
              group=4, synonyms="colours"),
    ActionRow("theme_dark", "Dark", "", "set_dark", "View/Theme", (), _A, group=4, checkable=True,
              synonyms="theme colours night"),
    ActionRow("theme_light", "Light", "", "set_light", "View/Theme", (), _A, group=4, checkable=True,
              synonyms="theme colours day"),
    ActionRow("theme_system", "As the system", "", "set_system", "View/Theme", (), _A, group=4, checkable=True,
              synonyms="theme colours desktop automatic"),
    ActionRow("theme_high_contrast", "High contrast", "", "set_high_contrast", "View/Theme", ("Ctrl+Alt+H",), _A,
              group=4, checkable=True, synonyms="theme colours black white accessibility sight"),
    ActionRow("large_targets", "Large targets", "ph.hand-pointing", "set_large_targets", "View", ("Ctrl+Alt+L",), _A,
              group=4, checkable=True, synonyms="bigger buttons handles rows accessibility touch"),
)
# fmt: on
