"""The actions of History: looking back, naming a moment, and going back to one."""

from limbstudio.ui.action_row import ActionRow, Owner

_H = Owner.HISTORY

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("checkpoint", "Name this moment...", "ph.bookmark-simple", "name_moment", "Edit", ("Ctrl+S",), _H,
              group=3, needs="editable", synonyms="checkpoint save version snapshot"),
    ActionRow("history", "History", "ph.clock-counter-clockwise", "show_history", "View/Panels", ("Ctrl+Shift+H",), _H,
              group=3, checkable=True, needs="project", synonyms="journal who when what"),
    ActionRow("photo_back_to", "This photo back to here", "ph.arrow-u-up-left", "photo_back_to", "Edit", (), _H,
              group=3, needs="history_line", synonyms="restore revert history"),
    ActionRow("take_back", "Take back the selected edits", "ph.arrow-counter-clockwise", "take_back", "Edit", (), _H,
              group=3, needs="history_line", synonyms="revert import batch machine history"),
    ActionRow("show_backups", "Back to a checkpoint or backup...", "ph.clock-counter-clockwise", "show_backups",
              "Edit", (), _H, group=3, needs="project", synonyms="restore version"),
    ActionRow("back_up", "Back up now", "ph.copy-simple", "back_up", "File", (), _H, group=2, needs="editable",
              synonyms="backup copy safe"),
    ActionRow("backups_folder", "Folder for backups...", "ph.folder-open", "choose_backups_folder", "File", (), _H,
              group=2, synonyms="backup drive"),
)
# fmt: on
