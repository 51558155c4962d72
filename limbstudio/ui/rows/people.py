"""The actions on whole people, on the record of a limb, and on what is said of one point."""

from limbstudio.ui.action_row import ActionRow, Owner, Where

_P, _CANVAS = Owner.PEOPLE, Where.CANVAS

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("merge_people", "Merge with another person...", "ph.git-merge", "merge_people", "Person", ("Shift+M",),
              _P, _CANVAS, group=3, needs="people", synonyms="join two halves unite"),
    ActionRow("reassign_points", "Give the points to another person...", "ph.swap", "reassign_points", "Person",
              ("Shift+P",), _P, _CANVAS, group=3, needs="people", synonyms="exchange move points"),
    ActionRow("copy_person", "Copy person", "ph.copy", "copy_person", "Edit", ("Ctrl+C",), _P, _CANVAS, group=2,
              needs="person"),
    ActionRow("copy_from_previous", "Copy the people of the photo before", "ph.copy-simple", "copy_from_previous",
              "Edit", (), _P, _CANVAS, group=2, needs="photo", synonyms="duplicate previous paste"),
    ActionRow("point_details", "Confidence and note of this point...", "ph.note-pencil", "show_point_details",
              "Person/Point", ("F2",), _P, _CANVAS, group=1, needs="point", synonyms="sure comment"),
    ActionRow("person_note", "Note on this person...", "ph.note", "show_person_note", "Person", ("Shift+F2",), _P,
              _CANVAS, group=3, needs="person", synonyms="comment"),
    *(ActionRow(f"cause_{value}", f"Cause: {text}", "", f"cause_{value}", "Limb/Cause", (), _P, group=3,
                needs="limb_difference", synonyms="limb record") for value, text in (
                    ("acquired", "acquired"), ("congenital", "congenital"), ("unknown", "not known"))),
    *(ActionRow(f"device_{value}", text, "", f"device_{value}", "Limb/Prosthesis", (), _P, group=3,
                needs="limb_difference", synonyms="device limb record") for value, text in (
                    ("none", "No prosthesis"), ("worn", "Prosthesis worn"), ("beside", "Prosthesis beside the person"),
                    ("unknown", "Prosthesis not known"))),
    ActionRow("limb_certain", "Sure of this limb's record", "ph.check-circle", "toggle_certain", "Limb", (), _P,
              group=3, needs="limb_difference", synonyms="certainty unsure"),
)
# fmt: on
