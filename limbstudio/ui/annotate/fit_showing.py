"""Showing the fit of the person in work on the canvas: over the photo, and small in the inset."""

import numpy as np
from PySide6.QtCore import QObject, Signal

from limbstudio.domain.fitted import KeptFit
from limbstudio.services.live import LiveBody
from limbstudio.services.studio import Mesh
from limbstudio.ui.actions import Actions
from limbstudio.ui.annotate.photo_reading import PhotoReading
from limbstudio.ui.body_overlay import overlay_picture
from limbstudio.ui.inset_frame import InsetFrame
from limbstudio.ui.mesh_view import Axes, MeshView, camera_axes
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.session import Session

_LIVE_WORDS = "live, not kept"


class FitShowing(QObject):
    """Keep the overlay and the inset's body in line with the chosen fit, or with the body that follows a drag.

    Signals:
        meshes_allowed(): 3D has been loaded; the window has been painted and may do what takes time.
    """

    meshes_allowed = Signal()

    def __init__(
        self,
        session: Session,
        actions: Actions,
        view: PhotoView,
        inset: InsetFrame,
        mesh_view: MeshView,
        reading: PhotoReading,
    ) -> None:
        super().__init__(view)
        self._session = session
        self._actions = actions
        self._view = view
        self._inset = inset
        self._mesh_view = mesh_view
        self._reading = reading
        self._overlay_of: str | None = None
        self._mesh: tuple[str, Mesh] | None = None  # of the fit of that id
        self._loads: str | None = None
        self._is_live = False
        self._can_show_meshes = False
        reading.cleared.connect(self._clear_overlay)
        session.fit_changed.connect(self.show_fit)

    def allow_meshes(self) -> None:
        """3D has been loaded: show the body from now on."""
        self._can_show_meshes = True
        self.show_fit()
        self.meshes_allowed.emit()

    def show_fit(self) -> None:
        """Show the chosen fit of the person in work, or nothing."""
        fit = self._session.fit
        if fit is None:
            self._clear_overlay()
            if not self._is_live:
                self._mesh_view.clear()
                self._inset.say("")
            return
        if self._mesh is None or self._mesh[0] != fit.id:
            self._load(fit)
            return
        mesh = self._mesh[1]
        stale = self._session.studio.is_stale(fit)
        if not self._is_live:
            self._inset.say("before edit" if stale else "", "warn" if stale else "caption")
        if self._overlay_of != fit.id and self._reading.has_ended:
            self._overlay_of = fit.id
            self._session.bridge.read(
                lambda: overlay_picture(mesh, fit.fit.camera),
                lambda made: self._show_overlay(fit, *made),
                lambda error: self._session.said.emit(str(error), "", False),
            )
        if self._can_show_meshes and self._inset.isVisible() and not self._is_live:
            axes = camera_axes(fit.fit.orientation)
            self._mesh_view.show_body(mesh.vertices, mesh.faces, mesh.residual, axes, stale=stale)

    def _load(self, fit: KeptFit) -> None:
        """Read the fit's mesh in a thread: a slow disk must not hold up the window."""
        if self._loads == fit.id:
            return
        self._loads = fit.id
        studio = self._session.studio

        def loaded(mesh: Mesh | None) -> None:
            self._loads = None
            now = self._session.fit
            if mesh is not None and now is not None and now.id == fit.id:
                self._mesh = (fit.id, mesh)
                self.show_fit()
            elif now is not None and now.id != fit.id:
                self.show_fit()

        def failed(error: BaseException) -> None:
            self._loads = None
            self._session.said.emit(str(error), "", False)

        self._session.bridge.read(lambda: studio.body_mesh(fit), loaded, failed)

    def show_live(self, body: LiveBody, axes: Axes) -> None:
        """Show a body that follows; when it is the last of a drag, sharp."""
        if not self._is_live:
            self._is_live = True
            self._inset.say(_LIVE_WORDS, "warn")
        if self._can_show_meshes and self._inset.isVisible():
            self._mesh_view.show_body(
                body.vertices,
                body.faces,
                body.residual,
                axes,
                keep_camera=self._mesh_view.has_body,
                live=not body.is_last,
            )

    def end_live(self) -> None:
        """Show what is kept again."""
        self._is_live = False
        self.show_fit()

    def _clear_overlay(self) -> None:
        self._view.show_overlay(None)
        self._overlay_of = None

    def _show_overlay(self, fit: KeptFit, picture: np.ndarray, scale: float) -> None:
        if self._overlay_of == fit.id:
            self._view.show_overlay(picture, scale)
            self._view.set_overlay_visible(self._actions["overlay"].isChecked() and not self._is_live)
