"""The actions that bring photos and annotations in."""

from limbstudio.ui.action_row import ActionRow, Owner

_I = Owner.IMPORTING

# fmt: off
ROWS: tuple[ActionRow, ...] = (
    ActionRow("open_photos", "Open photos...", "ph.image", "open_photos", "File", ("Ctrl+O",), _I, group=1),
    ActionRow("open_photo_folder", "Open a folder of photos...", "ph.folder-open", "open_photo_folder", "File", (), _I,
              group=1, synonyms="directory import"),
    ActionRow("paste_photos", "Paste photos", "ph.clipboard-text", "paste_photos", "File", ("Ctrl+V",), _I, group=1,
              synonyms="clipboard screenshot"),
    ActionRow("import_annotations", "Import annotations...", "ph.file-arrow-down", "import_annotations", "File",
              ("Ctrl+I",), _I, group=1, synonyms="coco labelme x-anylabeling json"),
    ActionRow("import_annotation_folder", "Import a folder of labelme files...", "ph.folder-plus",
              "import_annotation_folder", "File", (), _I, group=1, synonyms="x-anylabeling json directory"),
    ActionRow("locate_photo", "Locate this photo...", "ph.folder-open", "locate_photo", "File", (), _I, group=1,
              needs="photo", synonyms="moved lost missing file find"),
    ActionRow("adopt_changed_photo", "Accept the changed file of this photo", "ph.arrows-clockwise",
              "adopt_changed_photo", "File", (), _I, group=1, needs="photo", synonyms="changed bytes content"),
    ActionRow("collect_photos", "Collect photos into the project", "ph.package", "collect_photos", "File", (), _I,
              group=1, needs="photos", synonyms="copy gather move portable"),
)
# fmt: on
