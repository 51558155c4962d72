"""The Residual limb perspective's centre: the fitted body in 3D, standard views, and whether the mesh is sound."""

from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from limbstudio.services.studio import facts_of
from limbstudio.ui import icons
from limbstudio.ui.actions import Actions, Where
from limbstudio.ui.floats import FloatFrame
from limbstudio.ui.mesh_view import REST_AXES, MeshView, View, camera_axes
from limbstudio.ui.panels.parts import label, line, set_role
from limbstudio.ui.session import Session
from limbstudio.ui.theme import Theme

_MARGIN = 12
_VIEW_WORDS = {
    View.FRONT: "Front",
    View.BACK: "Back",
    View.LEFT: "Left",
    View.RIGHT: "Right",
    View.TOP: "Top",
    View.BOTTOM: "Bottom",
}
_ORBIT_DEG = 15.0


class _Fact(QWidget):
    """One figure of the validity strip: a sign, a caption, a value."""

    def __init__(self, caption: str) -> None:
        super().__init__()
        self._icon = QLabel()
        self._value = label("", "value")
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(caption, "caption"))
        words.addWidget(self._value)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 4, 10, 4)
        row.setSpacing(9)
        row.addWidget(self._icon)
        row.addLayout(words)

    def show_value(self, text: str, icon: str, colour: str) -> None:
        self._value.setText(text)
        self._icon.setPixmap(icons.icon(icon, colour).pixmap(QSize(17, 17)))


class ValidityStrip(QWidget):
    """Closed, self-intersections, volume: what must hold before a mesh is used."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("validityStrip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(52)
        self._theme = theme
        self._facts = {
            "watertight": _Fact("Watertight"),
            "self_intersections": _Fact("Self-intersections"),
            "volume": _Fact("Volume of the body"),
            "mesh": _Fact("Mesh"),
        }
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.setSpacing(4)
        for n, fact in enumerate(self._facts.values()):
            if n:
                row.addWidget(line(vertical=True))
            row.addWidget(fact)
        row.addStretch(1)

    def show_mesh_facts(self, mesh: dict[str, Any] | None) -> None:
        """mesh: what a kept fit says of its surface; None without a fit."""
        t = self._theme
        if not mesh:
            for fact in self._facts.values():
                fact.show_value("–", "ph.circle-dashed", t.text3)
            return
        closed = bool(mesh.get("watertight"))
        shells = mesh.get("components", 1)
        words = f"Closed, {shells} shell" + ("" if shells == 1 else "s") if closed else "Open"
        self._facts["watertight"].show_value(words, *_sign(closed, t))
        crossings = mesh.get("self_intersections")
        if crossings is None:
            self._facts["self_intersections"].show_value("Not checked", "ph.circle-dashed", t.text3)
        else:
            self._facts["self_intersections"].show_value(str(crossings), *_sign(crossings == 0, t))
        volume = mesh.get("volume_m3")
        words = "–" if volume is None else f"{volume * 1000:.1f} l"
        self._facts["volume"].show_value(words, "ph.cube", t.text2)
        counts = f"{mesh.get('vertices', 0)} vertices, {mesh.get('faces', 0)} faces"
        self._facts["mesh"].show_value(counts, "ph.polygon", t.text2)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme


def _sign(good: bool, theme: Theme) -> tuple[str, str]:
    return ("ph.check-circle", theme.ok) if good else ("ph.warning", theme.warn)


class MeshPage(QWidget):
    """Show the chosen fit of the person in work from all sides."""

    def __init__(
        self, session: Session, actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._can_show_meshes = False
        self._t_pose = False

        self._area = QWidget()
        self._area.setObjectName("meshArea")
        self._area.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.view = MeshView(theme, "Fit body to see it in 3D", "Fitted body in 3D", self._area)
        inside = QVBoxLayout(self._area)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.view)
        self._bar = self._view_bar(actions)
        self._note = label("", "badge-warn")
        self._note.setParent(self._area)
        self.strip = ValidityStrip(theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._area, 1)
        column.addWidget(self.strip)
        for action in actions.of(Where.MESH):
            self.view.addAction(action)
        session.fit_changed.connect(self.refresh)
        session.person_selected.connect(self.refresh)
        self.strip.show_mesh_facts(None)

    def _view_bar(self, actions: Actions) -> FloatFrame:
        bar = FloatFrame(self._area)
        row = QHBoxLayout(bar)
        row.setContentsMargins(5, 3, 5, 3)
        row.setSpacing(2)
        ids = {f"view_{view.value}": words for view, words in _VIEW_WORDS.items()} | {"t_pose": "T-pose"}
        ids |= {"frame_limb": "Residual limb"}
        for action_id, words in ids.items():
            button = QToolButton()
            button.setProperty("role", "segment")
            action = actions[action_id]
            button.setText(words)
            button.setToolTip(action.toolTip())
            button.setAccessibleName(action.text())
            button.setCheckable(action.isCheckable())
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, a=action: a.trigger())
            if action.isCheckable():
                action.toggled.connect(button.setChecked)
            if action_id == "t_pose":
                row.addWidget(line(vertical=True))
            row.addWidget(button)
        return bar

    def set_theme(self, theme: Theme) -> None:
        self.view.set_theme(theme)
        self.strip.set_theme(theme)
        self.refresh()

    def allow_meshes(self) -> None:
        """3D has been loaded: show the body from now on."""
        self._can_show_meshes = True
        self.refresh()

    def refresh(self) -> None:
        if not self.isVisible():
            return  # shown when the perspective is
        kept = self._session.fit
        self._note.hide()
        self._arrange()
        if kept is None:
            self.view.clear()
            self.strip.show_mesh_facts(None)
            return
        self.strip.show_mesh_facts(dict(facts_of(kept).get("mesh", {})))
        stale = self._session.studio.is_stale(kept)
        self._note.setText("From before your edit: fit again to update")
        self._note.setVisible(stale)
        set_role(self._note, "badge-warn")
        self._arrange()
        if not self._can_show_meshes:
            self.view.set_empty_text("Loading 3D ...")
            return
        studio = self._session.studio
        load = studio.tpose_mesh if self._t_pose else studio.body_mesh
        mesh = self._session.attempt(lambda: load(kept))
        if mesh is not None:
            axes = REST_AXES if self._t_pose else camera_axes(kept.fit.orientation)
            self.view.show_body(mesh.vertices, mesh.faces, mesh.residual, axes, stale=stale)

    def showEvent(self, event: Any) -> None:  # noqa: ANN401 - Qt's signature
        super().showEvent(event)
        self.refresh()

    def view_front(self) -> None:
        self.view.look_from(View.FRONT)

    def view_back(self) -> None:
        self.view.look_from(View.BACK)

    def view_left(self) -> None:
        self.view.look_from(View.LEFT)

    def view_right(self) -> None:
        self.view.look_from(View.RIGHT)

    def view_top(self) -> None:
        self.view.look_from(View.TOP)

    def view_bottom(self) -> None:
        self.view.look_from(View.BOTTOM)

    def toggle_t_pose(self, checked: bool) -> None:
        """Show the body at rest, or as it stands in the photo."""
        self._t_pose = checked
        self.refresh()

    def frame_limb(self) -> None:
        self.view.frame_residual()

    def close_views(self) -> None:
        self.view.close_view()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        turns = {
            Qt.Key.Key_Left: (_ORBIT_DEG, 0.0),
            Qt.Key.Key_Right: (-_ORBIT_DEG, 0.0),
            Qt.Key.Key_Up: (0.0, -_ORBIT_DEG),
            Qt.Key.Key_Down: (0.0, _ORBIT_DEG),
        }
        turn = turns.get(Qt.Key(event.key()))
        if turn is None:
            event.ignore()
        else:
            self.view.orbit(*turn)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        self._bar.adjustSize()
        self._bar.move(_MARGIN, _MARGIN)
        self._bar.raise_()
        self._note.adjustSize()
        self._note.move(_MARGIN, self._bar.height() + 2 * _MARGIN)
        self._note.raise_()
