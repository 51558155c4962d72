"""Showing the fit of the person in work on the canvas: over the photo, and small in the inset."""

import numpy as np
from PySide6.QtCore import QObject

from limbstudio.domain.fitted import KeptFit
from limbstudio.services.studio import Mesh
from limbstudio.ui.actions import Actions
from limbstudio.ui.annotate.photo_reading import PhotoReading
from limbstudio.ui.body_overlay import overlay_picture
from limbstudio.ui.floats import InsetFrame
from limbstudio.ui.mesh_view import MeshView, camera_axes
from limbstudio.ui.photo_view import PhotoView
from limbstudio.ui.session import Session


class FitShowing(QObject):
    """Keep the overlay and the inset's body in line with the chosen fit."""

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
        self._can_show_meshes = False
        reading.cleared.connect(self._clear_overlay)
        session.fit_changed.connect(self.show_fit)

    def allow_meshes(self) -> None:
        """3D has been loaded: show the body from now on."""
        self._can_show_meshes = True
        self.show_fit()

    def show_fit(self) -> None:
        """Show the chosen fit of the person in work, or nothing."""
        fit = self._session.fit
        if fit is None:
            self._clear_overlay()
            self._mesh_view.clear()
            self._inset.say("")
            return
        stale = self._session.studio.is_stale(fit)
        self._inset.say("before your edit" if stale else "", "warn" if stale else "caption")
        mesh = self._session.attempt(lambda: self._session.studio.body_mesh(fit))
        if mesh is None:
            return
        if self._overlay_of != fit.id and self._reading.has_ended:
            self._overlay_of = fit.id
            self._session.bridge.read(
                lambda: overlay_picture(mesh, fit.fit.camera),
                lambda made: self._show_overlay(fit, *made),
                lambda error: self._session.said.emit(str(error), "", False),
            )
        self._show_mesh(fit, mesh, stale)

    def _clear_overlay(self) -> None:
        self._view.show_overlay(None)
        self._overlay_of = None

    def _show_mesh(self, fit: KeptFit, mesh: Mesh, stale: bool) -> None:
        if self._can_show_meshes and self._inset.isVisible():
            axes = camera_axes(fit.fit.orientation)
            self._mesh_view.show_body(mesh.vertices, mesh.faces, mesh.residual, axes, stale=stale)

    def _show_overlay(self, fit: KeptFit, picture: np.ndarray, scale: float) -> None:
        if self._overlay_of == fit.id:
            self._view.show_overlay(picture, scale)
            self._view.set_overlay_visible(self._actions["overlay"].isChecked())
