"""The actions that keep others from seeing what is on the screen."""

from limbstudio.ui.action_row import ActionRow, Owner

_P = Owner.PRIVACY

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("hide_names", "Hide names", "ph.eye-slash", "set_hide_names", "View/Privacy", ("Ctrl+Alt+N",), _P,
              group=5, checkable=True, synonyms="file names persons anonymous private"),
    ActionRow("blur_faces", "Blur faces", "ph.smiley-x-eyes", "set_blur_faces", "View/Privacy", ("Ctrl+Alt+B",), _P,
              group=5, checkable=True, synonyms="head mosaic anonymous private pixelate"),
    ActionRow("cover", "Cover the screen", "ph.monitor", "cover", "View/Privacy", ("Ctrl+Shift+L",), _P, group=5,
              synonyms="lock hide private away"),
    *(ActionRow(f"cover_after_{minutes}", text, "", f"cover_after_{minutes}", "View/Privacy", (), _P, group=5,
                checkable=True, synonyms="idle lock screen saver minutes") for minutes, text in (
                    (0, "Never cover by itself"), (1, "Cover after 1 minute"), (5, "Cover after 5 minutes"),
                    (15, "Cover after 15 minutes"))),
)
# fmt: on
