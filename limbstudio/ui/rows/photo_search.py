"""The actions that find photos and walk between them."""

from limbstudio.ui.action_row import ActionRow, Owner, Where

_S, _CANVAS = Owner.PHOTO_SEARCH, Where.CANVAS

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("find_photos", "Search photos", "ph.magnifying-glass", "find_photos", "Edit", ("Ctrl+F",), _S, group=5,
              needs="photos", synonyms="find filter query state limb side annotator score note name"),
    ActionRow("save_search", "Save this search...", "ph.bookmark-simple", "save_search", "Edit", (), _S, group=5,
              needs="search"),
    ActionRow("clear_search", "Show all photos", "ph.x", "clear_search", "Edit", (), _S, group=5, needs="search",
              synonyms="reset filter"),
    ActionRow("photo_table", "Photo list as a table", "ph.table", "set_table", "View/Panels", ("Ctrl+Shift+T",), _S,
              group=3, checkable=True, synonyms="thumbnails columns"),
    ActionRow("next_unfinished", "Next unfinished photo", "ph.caret-double-right", "next_unfinished", "Person/Go to",
              ("Shift+D",), _S, _CANVAS, group=5, needs="photos"),
    ActionRow("previous_unfinished", "Previous unfinished photo", "ph.caret-double-left", "previous_unfinished",
              "Person/Go to", ("Shift+A",), _S, _CANVAS, group=5, needs="photos"),
    ActionRow("next_human", "Next photo annotated by a person", "ph.hand-pointing", "next_human", "Person/Go to",
              ("Ctrl+D",), _S, group=5, needs="photos", synonyms="human made"),
    ActionRow("next_predicted", "Next photo with a prediction", "ph.robot", "next_predicted", "Person/Go to",
              ("Ctrl+Shift+D",), _S, group=5, needs="photos", synonyms="machine model predicted"),
    ActionRow("go_to_photo", "Go to photo...", "ph.arrow-right", "ask_photo", "Person/Go to", ("Ctrl+G",), _S, group=5,
              needs="photos", synonyms="number name jump"),
    ActionRow("no_person", "No person in this photo", "ph.prohibit", "toggle_no_person", "Person", ("Shift+R",), _S,
              _CANVAS, group=4, needs="photo", synonyms="empty nobody confirm"),
)
# fmt: on
