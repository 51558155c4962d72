"""The Residual limb perspective's centre: the fitted body in 3D, standard views, and whether the mesh is sound.

Where a residual limb can be opened for correction, the corrected limb on its body is shown, and views are centred on
it; otherwise the body as it was fitted.
"""

from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from limbstudio.services.studio import facts_of
from limbstudio.ui.actions import Actions, Where
from limbstudio.ui.floats import FloatFrame
from limbstudio.ui.limb.cameras import Aim, aim_at, axis_aim, body_aim
from limbstudio.ui.limb.cursor import LimbCursor
from limbstudio.ui.limb.scene import LimbScene
from limbstudio.ui.limb.strip import ValidityStrip
from limbstudio.ui.limb.toolbox import OptionsBar, Rail, Toolbox
from limbstudio.ui.limb.work import LimbWork
from limbstudio.ui.mesh_view import REST_AXES, Axes, MeshView, View, camera_axes
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
_PAN_PX = 40.0


class MeshPage(QWidget):
    """Show the chosen fit of the person in work from all sides.

    work: which residual limb is in work. scene: what of it is in the 3D view. toolbox: the view's tools.
    limb_cursor: where the keyboard is on the limb.

    Signals:
        scene_changed(): the 3D view shows something else, or from elsewhere by a standard view.
    """

    scene_changed = Signal()

    def __init__(
        self, session: Session, actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._can_show_meshes = False
        self._t_pose = False
        self._plain = False
        self._aimed_for: object = None
        self._placed: View | None = View.FRONT

        self._area = QWidget()
        self._area.setObjectName("meshArea")
        self._area.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.view = MeshView(theme, "Fit body to see it in 3D", "Fitted body in 3D", self._area)
        self.work = LimbWork(session, self)
        self.scene = LimbScene(self.view)
        self.limb_cursor = LimbCursor(self.work, self.scene)
        self.toolbox = Toolbox(self.view.stage, actions, self)
        inside = QVBoxLayout(self._area)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.view)
        self._bar = self._view_bar(actions)
        self._note = label("", "badge-warn")
        self._note.setParent(self._area)
        self.strip = ValidityStrip(theme)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.options = OptionsBar(self.toolbox, theme)
        self._column.addWidget(self.options)
        self._column.addWidget(self._area, 1)
        self._column.addWidget(self.strip)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addWidget(Rail(actions))
        self._row.addLayout(self._column, 1)
        for action in actions.of(Where.MESH):
            self.view.addAction(action)
        session.fit_changed.connect(self.refresh)
        session.person_selected.connect(self.refresh)
        self.work.changed.connect(self._show)
        self.work.facts_changed.connect(self._show_facts)
        self.view.stage.double_clicked.connect(self._on_double_click)
        self.view.stage.turned.connect(self._on_turned)
        self.strip.show_mesh_facts(None)

    def _view_bar(self, actions: Actions) -> FloatFrame:
        bar = FloatFrame(self._area)
        row = QHBoxLayout(bar)
        row.setContentsMargins(5, 3, 5, 3)
        row.setSpacing(2)
        ids = {f"view_{view.value}": words for view, words in _VIEW_WORDS.items()}
        ids |= {"view_axis": "Along", "t_pose": "T-pose", "frame_limb": "Residual limb"}
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

    # --------------------------------------------------------------------------------------------------- the pieces

    def add_below(self, views: QWidget) -> None:
        """Put the linked views below the strip."""
        self._column.addWidget(views)

    @property
    def area(self) -> QWidget:
        """Return what floating cards over the view are children of."""
        return self._area

    # ---------------------------------------------------------------------------------------------------- the showing

    def set_theme(self, theme: Theme) -> None:
        self.view.set_theme(theme)
        self.strip.set_theme(theme)
        self.options.set_theme(theme)
        self.refresh()

    def allow_meshes(self) -> None:
        """3D has been loaded: show the body from now on."""
        self._can_show_meshes = True
        self.refresh()

    @property
    def axes(self) -> Axes:
        """Return which way the person faces in what is shown."""
        kept = self._session.fit
        return REST_AXES if self._t_pose or kept is None else camera_axes(kept.fit.orientation)

    @property
    def shows_limb(self) -> bool:
        """Tell whether the corrected limb is in the view."""
        return self.scene.surface is not None

    def set_plain(self, plain: bool) -> None:
        """Show the body as it was fitted, whatever was corrected: for who compares fits."""
        self._plain = plain

    def refresh(self) -> None:
        if not self.isVisible():
            return  # shown when the perspective is
        self.work.is_wanted = True
        self.work.refresh()
        self._show()

    def _show(self) -> None:
        if not self.isVisible():
            return
        kept = self._session.fit
        self._note.hide()
        self._arrange()
        if kept is None:
            self.scene.clear()
            self.view.clear()
            self.strip.show_mesh_facts(None)
            self.scene_changed.emit()
            return
        self._show_facts()
        stale = self._session.studio.is_stale(kept)
        self._note.setText("From before your edit: fit again to update")
        self._note.setVisible(stale)
        set_role(self._note, "badge-warn")
        self._arrange()
        if not self._can_show_meshes:
            self.view.set_empty_text("Loading 3D ...")
            return
        corrected, surface = self.work.corrected, self.work.surface
        if corrected is not None and surface is not None and not self._plain:
            shown = (kept.id, surface.limb, self._t_pose)
            self.scene.show(
                corrected, surface, self.axes, rest=self._t_pose, stale=stale, keep_camera=self.view.has_body
            )
            if shown != self._aimed_for:
                self._aimed_for = shown
                self._look_from(self._placed or View.FRONT)
        else:
            self._show_fit(stale)
        self.scene_changed.emit()

    def _show_fit(self, stale: bool) -> None:
        kept = self._session.fit
        assert kept is not None
        self.scene.clear()
        self._aimed_for = None
        studio = self._session.studio
        load = studio.tpose_mesh if self._t_pose else studio.body_mesh
        mesh = self._session.attempt(lambda: load(kept))
        if mesh is not None:
            self.view.show_body(mesh.vertices, mesh.faces, mesh.residual, self.axes, stale=stale)

    def _show_facts(self) -> None:
        kept = self._session.fit
        if self.work.surface is None or kept is None:
            self.strip.show_mesh_facts(dict(facts_of(kept).get("mesh", {})) if kept is not None else None)
            return
        person = self._session.person
        has_mask = person is not None and bool(person.mask_file or person.polygons)
        self.strip.show_limb_facts(self.work.facts, self.work.scale, has_mask=has_mask)
        quick = self.work.quick_facts()
        if quick is not None:
            self.strip.show_live(*quick, self.work.scale)

    def showEvent(self, event: Any) -> None:  # noqa: ANN401 - Qt's signature
        super().showEvent(event)
        self.refresh()

    def hideEvent(self, event: QHideEvent) -> None:
        if self.toolbox.current is not None:
            self.toolbox.current.pause()
        self.work.is_wanted = False
        super().hideEvent(event)

    # ------------------------------------------------------------------------------------------------------- the views

    @property
    def placed(self) -> View | None:
        """Return the standard view that the main view shows; None once it was turned by hand."""
        return self._placed

    def aim_for(self, view: View, ratio: float) -> Aim:
        """Return a standard view of the limb in work. ratio: width over height of the picture."""
        return body_aim(self.axes, view, self.scene.points, ratio)

    def look_from(self, view: View) -> None:
        """Turn to a standard view: of the limb in work, else of the whole body."""
        self._look_from(view)
        self.scene_changed.emit()

    def _look_from(self, view: View) -> None:
        self._placed = view
        if self.shows_limb:
            self.scene.look(self.aim_for(view, self._ratio))
        else:
            self.view.look_from(view)

    @property
    def _ratio(self) -> float:
        stage = self.view.stage
        return max(stage.width(), 1) / max(stage.height(), 1)

    def view_front(self) -> None:
        self.look_from(View.FRONT)

    def view_back(self) -> None:
        self.look_from(View.BACK)

    def view_left(self) -> None:
        self.look_from(View.LEFT)

    def view_right(self) -> None:
        self.look_from(View.RIGHT)

    def view_top(self) -> None:
        self.look_from(View.TOP)

    def view_bottom(self) -> None:
        self.look_from(View.BOTTOM)

    def view_axis(self) -> None:
        """Look at the limb's end, along its bone."""
        if self.shows_limb:
            self._placed = None
            self.scene.look(axis_aim(self.axes, self.scene.axis_line, self.scene.points, self._ratio))
            self.scene_changed.emit()

    def look_as_camera(self) -> None:
        """Look at the limb from where the photo was taken."""
        if self.shows_limb and not self._t_pose:
            self._placed = None
            points = self.scene.points
            middle = (points.min(axis=0) + points.max(axis=0)) / 2
            towards = -middle / max(float((middle @ middle) ** 0.5), 1e-9)
            self.scene.look(aim_at(points, towards, np.array([0.0, -1.0, 0.0]), self._ratio))

    def toggle_t_pose(self, checked: bool) -> None:
        """Show the body at rest, or as it stands in the photo."""
        self._t_pose = checked
        self.refresh()

    def frame_limb(self) -> None:
        """Bring the residual limb near, from where the view looks now."""
        if self.shows_limb:
            aim = self.scene.aim
            towards = aim.eye - aim.focus
            towards = towards / max(float((towards @ towards) ** 0.5), 1e-9)
            self.scene.look(aim_at(self.scene.points, towards, aim.up, self._ratio))
        else:
            self.view.frame_residual()

    def _on_turned(self) -> None:
        self._placed = None

    def _on_double_click(self, at: QPointF) -> None:
        """Turn about the place under the pointer from now on."""
        found = self.scene.at(at.x(), at.y()) if self.shows_limb else None
        if found is not None:
            self.turn_about(found[1])

    def turn_about(self, place: np.ndarray) -> None:
        """Turn about a place (3,) of what is shown from now on; it comes to the middle of the view."""
        aim = self.scene.aim
        self.scene.look(Aim(aim.eye + (place - aim.focus), place, aim.up))

    def close_views(self) -> None:
        self.work.is_wanted = False
        self.scene.forget()
        self.view.close_view()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.toolbox.key(event):
            return
        steps = {
            Qt.Key.Key_Left: (1.0, 0.0),
            Qt.Key.Key_Right: (-1.0, 0.0),
            Qt.Key.Key_Up: (0.0, -1.0),
            Qt.Key.Key_Down: (0.0, 1.0),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            event.ignore()
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier and self.view.has_body:
            self.view.stage.pan(step[0] * _PAN_PX, -step[1] * _PAN_PX)
        else:
            self._placed = None
            self.view.orbit(step[0] * _ORBIT_DEG, step[1] * _ORBIT_DEG)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        self._bar.adjustSize()
        self._bar.move(_MARGIN, _MARGIN)
        self._bar.raise_()
        self.view.keep_clear(self._bar.height() + 2 * _MARGIN)
        self._note.adjustSize()
        self._note.move(_MARGIN, self._bar.height() + 2 * _MARGIN)
        self._note.raise_()
