"""Every action of the window in one table; menus, tool bars, the command palette and tool tips are built from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from limbstudio.ui import icons
from limbstudio.ui.theme import Theme


class Where(StrEnum):
    """Where an action's keys count. CANVAS and MESH: only while that view (or its table) has the focus."""

    WINDOW = "window"
    CANVAS = "canvas"
    MESH = "mesh"


class Owner(StrEnum):
    """Whose method the slot is."""

    WINDOW = "window"
    ANNOTATE = "annotate"
    LIMB = "limb"


@dataclass(frozen=True)
class ActionRow:
    """One action. slot: a method of its owner, called without arguments (with the new state when checkable).

    menu: 'File', or 'Limb/Level' for a submenu; empty for none. group: a line is drawn between groups of a menu.
    synonyms: more words under which the palette finds it. needs: what must be there for it to be enabled.
    """

    id: str
    text: str
    icon: str
    slot: str
    menu: str
    keys: tuple[str, ...] = ()
    owner: Owner = Owner.WINDOW
    where: Where = Where.WINDOW
    group: int = 0
    checkable: bool = False
    needs: str = ""
    synonyms: str = ""


_A, _L = Owner.ANNOTATE, Owner.LIMB
_CANVAS, _MESH = Where.CANVAS, Where.MESH
MENUS = ("File", "Edit", "View", "Person", "Limb", "Jobs", "Help")

# fmt: off
ACTIONS: tuple[ActionRow, ...] = (
    ActionRow("new_project", "New project...", "ph.folder-plus", "new_project", "File", ("Ctrl+N",)),
    ActionRow("open_project", "Open project...", "ph.folder-open", "open_project", "File", ("Ctrl+Shift+O",)),
    ActionRow("open_sample", "Open the sample project", "ph.flask", "open_sample", "File"),
    ActionRow("close_project", "Close project", "ph.x", "close_project", "File", needs="project"),
    ActionRow("open_photos", "Open photos...", "ph.image", "open_photos", "File", ("Ctrl+O",), group=1),
    ActionRow("import_annotations", "Import annotations...", "ph.file-arrow-down", "import_annotations", "File",
              ("Ctrl+I",), group=1),
    ActionRow("locate_photo", "Locate this photo...", "ph.folder-open", "locate_photo", "File", group=1,
              needs="photo", synonyms="moved lost missing file find"),
    ActionRow("export_coco", "Export COCO-25...", "ph.file-arrow-up", "export_coco", "File", ("Ctrl+E",), group=2,
              needs="photos", synonyms="save annotations"),
    ActionRow("export_meshes", "Export meshes and pictures...", "ph.cube", "export_meshes", "File",
              ("Ctrl+Alt+E",), group=2, needs="fits", synonyms="ply glb save reconstruction"),
    ActionRow("quit", "Quit", "ph.sign-out", "close", "File", ("Ctrl+Q",), group=3),

    ActionRow("undo", "Undo", "ph.arrow-counter-clockwise", "undo", "Edit", ("Ctrl+Z",), needs="project"),
    ActionRow("redo", "Redo", "ph.arrow-clockwise", "redo", "Edit", ("Ctrl+Shift+Z", "Ctrl+Y"), needs="project"),
    ActionRow("palette", "Search or run a command", "ph.magnifying-glass", "show_palette", "Edit",
              ("Ctrl+K", "Ctrl+Shift+P"), group=1),

    ActionRow("annotate", "Annotate", "ph.crosshair-simple", "show_annotate", "View", ("Ctrl+1",), checkable=True),
    ActionRow("residual_limb", "Residual limb", "ph.cube", "show_residual_limb", "View", ("Ctrl+2",),
              checkable=True, synonyms="stump 3d"),
    ActionRow("fit_view", "Show the whole photo", "ph.frame-corners", "fit_view", "View", ("Home",), _A, _CANVAS,
              group=1, needs="photo"),
    ActionRow("zoom_in", "Zoom in", "ph.magnifying-glass-plus", "zoom_in", "View", ("Ctrl++", "Ctrl+="), _A,
              group=1, needs="photo"),
    ActionRow("zoom_out", "Zoom out", "ph.magnifying-glass-minus", "zoom_out", "View", ("Ctrl+-",), _A, group=1,
              needs="photo"),
    ActionRow("zoom_fit", "Fit photo to view", "ph.arrows-in", "fit_view", "View", ("Ctrl+0",), _A, group=1,
              needs="photo"),
    ActionRow("overlay", "Fitted body over the photo", "ph.eye", "set_overlay", "View", ("Shift+V",), _A, _CANVAS,
              group=2, checkable=True, synonyms="overlay projection"),
    ActionRow("inset", "Body inset", "ph.picture-in-picture", "set_inset", "View", ("V",), _A, _CANVAS, group=2,
              checkable=True, synonyms="3d"),
    ActionRow("loupe", "Loupe", "ph.magnifying-glass-plus", "set_loupe", "View", ("Z",), _A, _CANVAS, group=2,
              checkable=True),
    ActionRow("names", "Names at all points", "ph.tag-simple", "set_names", "View", ("T",), _A, _CANVAS, group=2,
              checkable=True, synonyms="tags labels"),
    ActionRow("left_panel", "Photo list", "mdi6.page-layout-sidebar-left", "set_left_panel", "View", ("Ctrl+B",),
              group=3, checkable=True),
    ActionRow("right_panel", "Person panel", "mdi6.page-layout-sidebar-right", "set_right_panel", "View",
              ("Ctrl+Shift+B",), group=3, checkable=True),
    ActionRow("theme", "Switch between dark and light", "ph.moon", "switch_theme", "View", group=4),
    ActionRow("full_screen", "Full screen", "ph.arrows-out", "set_full_screen", "View", ("F11",), group=4,
              checkable=True),

    ActionRow("guided", "Guided placement", "ph.crosshair-simple", "start_guide", "Person", ("G",), _A, _CANVAS,
              needs="photo", checkable=True),
    ActionRow("select", "Select and drag points", "ph.cursor", "leave_guide", "Person", ("S", "Esc"), _A, _CANVAS,
              needs="photo", checkable=True),
    ActionRow("skip", "Skip this point", "ph.skip-forward", "skip", "Person", (), _A, needs="asked"),
    ActionRow("step_back", "Step back in the sequence", "ph.arrow-bend-up-left", "step_back", "Person",
              ("W", "Backspace"), _A, _CANVAS, needs="person"),
    ActionRow("next_point", "Next point", "ph.caret-right", "next_point", "Person", ("E",), _A, _CANVAS, group=1,
              needs="person"),
    ActionRow("previous_point", "Previous point", "ph.caret-left", "previous_point", "Person", ("Q",), _A, _CANVAS,
              group=1, needs="person"),
    ActionRow("clear_point", "Take the point away", "ph.eraser", "clear_point", "Person", ("Del",), _A, _CANVAS,
              group=1, needs="point"),
    *(ActionRow(f"state_{state}", text, "", f"state_{state}", "Person/Point state", (str(key),), _A, _CANVAS, group=2,
                needs="person") for key, (state, text) in enumerate((
                    ("visible", "Visible"), ("occluded", "Occluded"), ("out_of_frame", "Out of frame"),
                    ("absent", "Absent"), ("prosthesis", "Prosthesis"), ("unlabelled", "Unlabelled"),
                    ("unsure", "Unsure")), start=1)),
    ActionRow("new_person", "New person", "ph.user-plus", "new_person", "Person", ("Shift+N",), _A, _CANVAS, group=3,
              needs="photo"),
    ActionRow("draw_box", "Draw the person's box", "ph.selection", "draw_box", "Person", ("Shift+G",), _A, _CANVAS,
              group=3, needs="photo", checkable=True, synonyms="bounding rectangle"),
    ActionRow("delete_person", "Delete person", "ph.trash", "delete_person", "Person", (), _A, group=3,
              needs="person"),
    ActionRow("next_person", "Next person", "ph.caret-right", "next_person", "Person", ("C",), _A, _CANVAS, group=3,
              needs="person"),
    ActionRow("previous_person", "Previous person", "ph.caret-left", "previous_person", "Person", ("Shift+C",), _A,
              _CANVAS, group=3, needs="person"),
    ActionRow("fit_body", "Fit body", "ph.person-simple", "fit_body", "Person", ("F",), _A, _CANVAS, group=4,
              needs="person", synonyms="reconstruct"),
    ActionRow("mark_ready", "Mark ready", "ph.check", "mark_ready", "Person", ("R",), _A, _CANVAS, group=4,
              needs="person"),
    ActionRow("next_photo", "Next photo", "ph.caret-right", "next_photo", "Person", ("D",), _A, _CANVAS, group=5,
              needs="photos"),
    ActionRow("previous_photo", "Previous photo", "ph.caret-left", "previous_photo", "Person", ("A",), _A, _CANVAS,
              group=5, needs="photos"),

    ActionRow("swap_limb", "Swap left and right of this limb", "ph.swap", "swap_limb", "Limb", ("X",), _A, _CANVAS,
              needs="person"),
    ActionRow("swap_body", "Swap left and right of the body", "mdi6.flip-horizontal", "swap_body", "Limb",
              ("Shift+X",), _A, _CANVAS, needs="person"),
    ActionRow("mend", "Mend contradictions", "ph.wrench", "mend", "Limb", (), _A, group=1, needs="contradictions"),
    *(ActionRow(f"posture_{posture}", f"Posture: {posture}", "ph.person-simple", f"posture_{posture}", "Limb/Posture",
                keys, _A, _CANVAS, group=2, needs="person")
      for posture, keys in (("unknown", ()), ("standing", ("8",)), ("sitting", ("9",)), ("lying", ("0",)))),
    *(ActionRow(f"view_{view}", f"View from {text}", "ph.cube", f"view_{view}", "Limb/View", (str(key),), _L, _MESH,
                group=3, needs="fit") for key, (view, text) in enumerate((
                    ("front", "the front"), ("back", "the back"), ("left", "the left"), ("right", "the right"),
                    ("top", "the top"), ("bottom", "below")), start=1)),
    ActionRow("t_pose", "T-pose", "ph.person-simple", "toggle_t_pose", "Limb/View", ("7",), _L, _MESH, group=3,
              checkable=True, needs="fit", synonyms="rest"),
    ActionRow("frame_limb", "Frame the residual limb", "ph.frame-corners", "frame_limb", "Limb/View", ("F",), _L,
              _MESH, group=3, needs="fit", synonyms="stump"),

    ActionRow("jobs", "Show jobs", "ph.list-numbers", "show_jobs", "Jobs", ("Ctrl+J",)),
    ActionRow("cancel_jobs", "Cancel all jobs", "ph.x-circle", "cancel_jobs", "Jobs", (), needs="jobs"),

    ActionRow("keys", "Keys", "ph.keyboard", "show_keys", "Help", ("Ctrl+/",)),
    ActionRow("definition", "What counts as this point", "ph.question", "show_definition", "Help", ("F1",), _A,
              synonyms="residual limb end stump definition card"),
    ActionRow("about", "About LimbStudio", "ph.info", "show_about", "Help", group=1),
)
# fmt: on
ROWS: Mapping[str, ActionRow] = {row.id: row for row in ACTIONS}


def readable_key(key: str) -> str:
    """Return a key as people write it: 'Ctrl K'."""
    return key.replace("++", "+plus").replace("+", " ").replace("Del", "Delete").strip()


class Actions:
    """The table's rows as QActions.

    owners: whose methods the slots are. A slot may be missing only in tests that leave its owner out.
    """

    def __init__(self, parent: QObject, theme: Theme) -> None:
        self._actions: dict[str, QAction] = {}
        for row in ACTIONS:
            action = QAction(row.text, parent)
            action.setObjectName(row.id)
            action.setCheckable(row.checkable)
            action.setShortcuts([QKeySequence(key) for key in row.keys])
            if row.where is not Where.WINDOW:
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            tip = row.text.removesuffix("...")
            action.setToolTip(f"{tip}   {readable_key(row.keys[0])}" if row.keys else tip)
            self._actions[row.id] = action
        self.set_theme(theme)

    def __getitem__(self, action_id: str) -> QAction:
        return self._actions[action_id]

    def set_theme(self, theme: Theme) -> None:
        """Redraw the icons in the colours of `theme`."""
        for row in ACTIONS:
            if row.icon:
                drawn = icons.icon(row.icon, theme.text2, disabled=theme.edge, checked=theme.accent)
                self._actions[row.id].setIcon(drawn)

    def connect_owner(self, owner: Owner, target: QObject) -> None:
        """Connect every action of `owner` to the method of `target` that its row names."""
        for row in ACTIONS:
            if row.owner is owner:
                slot = getattr(target, row.slot)
                if row.checkable:
                    self._actions[row.id].triggered.connect(slot)
                else:
                    # A lambda, because Qt would pass `checked` to a slot that takes nothing.
                    self._actions[row.id].triggered.connect(lambda _=False, slot=slot: slot())

    def of(self, where: Where) -> list[QAction]:
        return [self._actions[row.id] for row in ACTIONS if row.where is where]

    def enable(self, available: frozenset[str]) -> None:
        """Enable the actions whose needs are among `available`."""
        for row in ACTIONS:
            self._actions[row.id].setEnabled(not row.needs or row.needs in available)

    def fill(self, bar: QMenuBar) -> None:
        """Build the menus."""
        for name in MENUS:
            self._fill_menu(bar.addMenu(f"&{name}"), name)

    def _fill_menu(self, menu: QMenu, name: str) -> None:
        last_group = None
        submenus: dict[str, QMenu] = {}
        for row in ACTIONS:
            top, _, sub = row.menu.partition("/")
            if top != name:
                continue
            if last_group is not None and row.group != last_group:
                menu.addSeparator()
            last_group = row.group
            target = menu
            if sub:
                target = submenus.get(sub) or submenus.setdefault(sub, menu.addMenu(sub))
            target.addAction(self._actions[row.id])
