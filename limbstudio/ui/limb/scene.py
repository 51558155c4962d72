"""What of a corrected body is in the 3D view: the body less the limb, and the limb, which moves under a brush.

With `mesh_view` and `mesh_stage` it alone knows VTK. While a stroke goes on, all that lies still is drawn once, with
its depths, and only the faces near the brush are drawn at each step and laid over it.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from limbstudio.domain.corrections import SurfacePoint
from limbstudio.rendering.picking import Hit, Projected
from limbstudio.rendering.raster import vertex_normals
from limbstudio.rendering.soft_normals import softened_normals
from limbstudio.ui.limb.cameras import Aim, aim_of, clip_matrix, take_aim
from limbstudio.ui.mesh_view import Axes, MeshView, colours_of

if TYPE_CHECKING:
    from limbstudio.corrections.brushes import Changed
    from limbstudio.corrections.limb_surface import LimbSurface
    from limbstudio.corrections.replay import Corrected
    from limbstudio.resihmr.pipeline import BodyMesh

_PATCH_ROOM = 2.6  # radii about the brush that are drawn at each step
_PATCH_LEAST_M = 0.03


class LimbScene:
    """One limb and its body in one view.

    rest: whether the T-pose is shown. points (n, 3): the limb's as shown. body_points (V, 3), faces (F, 3): all.
    """

    def __init__(self, view: MeshView) -> None:
        self.view = view
        self.stage = view.stage
        self.rest = False
        self.solo = False
        self.surface: LimbSurface | None = None
        self.points = np.zeros((0, 3))
        self._corrected: Corrected | None = None
        self._axes: Axes | None = None
        self._normals = np.zeros((0, 3))
        self._softer = np.zeros((0, 3))  # what makes the surface's own normals those that it is shaded by
        self._colours = np.zeros((0, 3), np.uint8)
        self._mesh: Any = None
        self._actor: Any = None
        self._patch: Any = None
        self._patch_actor: Any = None
        self._patch_ids = np.zeros(0, np.int64)
        self._patch_centre = np.zeros(3)
        self._patch_reach = 0.0
        self._still: tuple[np.ndarray, np.ndarray] | None = None
        self._patch_turn = 0  # how often the faces that move were chosen
        self._stills: dict[Hashable, _Still] = {}  # of other views, by who shows them
        self._depths: Any = None
        self._projected: tuple[object, Projected, np.ndarray] | None = None
        self._previews = self._stale = False
        self._shown: tuple[object, ...] = ()

    # ------------------------------------------------------------------------------------------------ what is shown

    def show(
        self,
        corrected: "Corrected",
        surface: "LimbSurface",
        axes: Axes,
        *,
        rest: bool,
        stale: bool,
        keep_camera: bool,
    ) -> None:
        """Show a corrected body and its limb; stale: drawn grey."""
        shown = (corrected, surface, rest, stale, self.view.mesh, self._mesh)
        same = len(shown) == len(self._shown) and all(a is b for a, b in zip(shown, self._shown, strict=True))
        if same and keep_camera and not self._previews:
            self._axes = axes
            return  # asked again for what stands there, as every edit asks several times
        self._corrected, self.surface, self.rest, self._axes = corrected, surface, rest, axes
        self._previews, self._stale = False, stale
        vertices = np.asarray(corrected.tpose if rest else corrected.vertices, float)
        own = np.zeros(len(corrected.faces), bool)
        own[surface.face_ids] = True
        residual = np.asarray(corrected.residual, bool)
        others = corrected.faces[~own]
        normals = vertex_normals(vertices, corrected.faces)
        self.view.show_body(
            vertices.astype(np.float32),
            others,
            residual,
            axes,
            stale=stale,
            keep_camera=keep_camera,
            normals=normals,
        )
        ids = surface.vertex_ids
        soft = softened_normals(normals[ids], surface.faces)
        self._softer = soft - normals[ids]
        self._set_limb(vertices[ids], surface.faces, soft, colours_of(residual[ids], stale=stale))
        self.set_solo(self.solo)
        self.end_stroke()
        self._shown = (corrected, surface, rest, stale, self.view.mesh, self._mesh)

    def clear(self) -> None:
        """Take the limb out of the view; the body is the view's own matter."""
        self.end_stroke()
        if self._actor is not None and self.stage.has_scene:
            self.stage.plotter.remove_actor(self._actor, render=False)
        self._actor = self._mesh = self.surface = self._corrected = self._projected = None

    def forget(self) -> None:
        """The scene was closed: what was in it is gone."""
        self._actor = self._mesh = self._patch = self._patch_actor = self._depths = self._still = None
        self.surface = self._corrected = self._projected = None

    def set_solo(self, solo: bool) -> None:
        """Show the limb alone, or on its body."""
        self.solo = solo
        body = self._body_actor()
        if body is not None:
            body.SetVisibility(not (solo and self._actor is not None))
        self._projected = None
        self.stage.redraw()

    def show_cut(self, mesh: "BodyMesh") -> None:
        """Show the body as a cut under a dragged handle would have it; `show` ends it."""
        assert self._axes is not None
        points = mesh.tpose if self.rest else mesh.vertices
        if self._actor is not None:
            self._actor.SetVisibility(False)
        self._previews = True
        self.view.show_body(
            np.asarray(points, np.float32), mesh.faces, mesh.residual, self._axes, keep_camera=True, live=True
        )
        body = self._body_actor()
        if body is not None:
            body.SetVisibility(True)

    def end_cut(self) -> None:
        """Show the limb as it is again."""
        if (
            self._previews
            and self._corrected is not None
            and self.surface is not None
            and self._axes is not None
        ):
            self.show(
                self._corrected, self.surface, self._axes, rest=self.rest, stale=self._stale, keep_camera=True
            )

    @property
    def previews(self) -> bool:
        return self._previews

    def colour(self, colours: np.ndarray | None) -> None:
        """Colour the limb's vertices, (n, 3) uint8; None: as a residual limb is."""
        if self._mesh is not None:
            self._mesh.point_data["colour"] = self._colours if colours is None else colours
            self._mesh.point_data.active_scalars_name = "colour"
            self.stage.redraw()

    def _set_limb(
        self, points: np.ndarray, faces: np.ndarray, normals: np.ndarray, colours: np.ndarray
    ) -> None:
        self.points, self._normals, self._colours = points, normals, colours
        self._projected = None
        self._mesh = _poly(points, faces, normals, colours)
        if self._actor is None:
            self._actor = self._add(self._mesh)
        else:
            self._actor.mapper.SetInputData(self._mesh)
            self._actor.SetVisibility(True)

    def _add(self, mesh: Any) -> Any:  # noqa: ANN401 - VTK's, loaded late
        return self.stage.plotter.add_mesh(
            mesh,
            scalars="colour",
            rgb=True,
            specular=0.12,
            specular_power=18,
            ambient=0.2,
            diffuse=0.85,
            render=False,
            reset_camera=False,
            show_scalar_bar=False,
            interpolation="Phong",
        )

    def _body_actor(self) -> Any:  # noqa: ANN401
        mesh = self.view.mesh
        if mesh is None or not self.stage.has_scene:
            return None
        for actor in self.stage.plotter.actors.values():
            if actor not in (self._actor, self._patch_actor) and _shows(actor, mesh):
                return actor
        return None

    @property
    def axis_line(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the bone's line as shown: its proximal joint, and level with the limb's end, (3,) each."""
        surface = self.surface
        assert surface is not None
        places = surface.frame.position(np.array([[0.0, 0, 0], [surface.end_axial, 0, 0]]))
        start, end = self.as_shown(places)
        return start, end

    def as_shown(self, places: np.ndarray) -> np.ndarray:
        """Carry places (n, 3) at rest to where what is shown has them."""
        if self.rest or self.surface is None:
            return places
        from limbstudio.measures.limb_sections import carried

        return carried(self.surface, places)

    # --------------------------------------------------------------------------------------------------- the pointer

    def at(self, x: float, y: float) -> tuple[int, np.ndarray] | None:
        """Return the limb's face (local) under a place of the view and the place itself (3,); None off the limb."""
        found = self._hit(x, y)
        if self.surface is None or found is None:
            return None
        face, weights = found
        return face, weights @ self.points[self.surface.faces[face]]

    def _hit(self, x: float, y: float) -> tuple[int, np.ndarray] | None:
        if self.surface is None or self._previews:
            return None
        projected, local = self._projection()
        hit: Hit | None = projected.at(x, y)
        if hit is None:
            return None
        face = int(local[hit.face])
        return None if face < 0 else (face, hit.weights)  # negative: the body lies in front

    def place_at(self, x: float, y: float) -> tuple[SurfacePoint, np.ndarray] | None:
        """Return the limb's place under a place of the view, and where it is drawn (3,); None off the limb."""
        surface, found = self.surface, self._hit(x, y)
        if surface is None or found is None:
            return None
        face, weights = found
        corners = surface.faces[face]
        if self.rest:
            place = surface.place_on(face, weights @ surface.points[corners])
        else:
            place = surface.at_rest(face, weights @ surface.posed(ids=corners))
        return place, weights @ self.points[corners]

    def _projection(self) -> tuple[Projected, np.ndarray]:
        surface, corrected = self.surface, self._corrected
        assert surface is not None
        assert corrected is not None
        camera, size = self.stage.plotter.camera, (self.stage.width(), self.stage.height())
        # By its values: linked pictures turn the camera away and back.
        aimed = (camera.GetPosition(), camera.GetFocalPoint(), camera.GetViewUp())
        key = (aimed, size, self.solo, self.rest, id(surface))
        if self._projected is None or self._projected[0] != key:
            matrix = clip_matrix(camera, max(size[0], 1) / max(size[1], 1))
            if self.solo:
                made = Projected(self.points, surface.faces, matrix, size)
                local = np.arange(len(surface.faces))
            else:
                points = np.array(corrected.tpose if self.rest else corrected.vertices, float)
                points[surface.vertex_ids] = self.points
                made = Projected(points, corrected.faces, matrix, size)
                local = np.full(len(corrected.faces), -1)
                local[surface.face_ids] = np.arange(len(surface.face_ids))
            self._projected = (key, made, local)
        return self._projected[1], self._projected[2]

    # -------------------------------------------------------------------------------------------------------- strokes

    def begin_stroke(self, centre: np.ndarray, radius: float) -> None:
        """Get ready to move the limb about a place (3,) as shown; radius in metres."""
        self._shown = ()
        self._still = None
        self._patch_reach = max(_PATCH_ROOM * radius, _PATCH_LEAST_M)
        self._lay_patch(centre, radius)
        self.stage.compose = self._composed

    def _lay_patch(self, centre: np.ndarray, radius: float) -> None:
        """Choose the faces that move and draw all others, with their depths."""
        surface = self.surface
        assert surface is not None
        self._patch_centre = centre
        self._patch_turn += 1
        near = np.linalg.norm(self.points - centre, axis=1) < self._patch_reach
        moving = near[surface.faces].any(axis=1)
        ids, faces = np.unique(surface.faces[moving], return_inverse=True)
        self._patch_ids = ids
        self._patch = _poly(
            self.points[ids],
            faces.reshape(-1, 3),
            self._normals[ids],
            np.asarray(self._mesh.point_data["colour"])[ids],
        )
        if self._patch_actor is None:
            self._patch_actor = self._add(self._patch)
        else:
            self._patch_actor.mapper.SetInputData(self._patch)
        still = _poly(
            self.points, surface.faces[~moving], self._normals, np.asarray(self._mesh.point_data["colour"])
        )
        body = self._body_actor()
        self._actor.mapper.SetInputData(still)
        self._show_only(still=True, body=body)
        self.stage.compose = self._kept
        self.stage.redraw(live=True)
        self.stage.draw_now(live=True)
        self._show_only(still=False, body=body)
        self.stage.compose = self._composed

    def _show_only(self, *, still: bool, body: Any) -> None:  # noqa: ANN401
        self._actor.SetVisibility(still)
        self._patch_actor.SetVisibility(not still)
        if body is not None:
            body.SetVisibility(still and not self.solo)

    def _read_depths(self, shape: tuple[int, ...]) -> np.ndarray:
        import vtk  # loaded with pyvista, late

        if self._depths is None:
            self._depths = vtk.vtkFloatArray()
        height, width = shape[:2]
        window = self.stage.plotter.render_window
        window.GetZbufferData(0, 0, width - 1, height - 1, self._depths)
        return np.asarray(memoryview(self._depths), np.float32).reshape(height, width)

    def _kept(self, drawn: np.ndarray) -> np.ndarray:
        self._still = drawn.copy(), self._read_depths(drawn.shape).copy()
        return drawn

    def _composed(self, drawn: np.ndarray) -> np.ndarray:
        if self._still is None or self._still[0].shape != drawn.shape:
            return drawn
        return self._laid_over(*self._still, drawn)

    def _laid_over(self, picture: np.ndarray, depths: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Lay what was just drawn over a picture (H, W, 4) uint8, where it is nearer."""
        nearer = self._read_depths(drawn.shape) < depths
        # As whole pixels: a quarter of the time of four channels.
        flat = np.where(nearer, drawn.view(np.uint32)[..., 0], picture.view(np.uint32)[..., 0])
        return flat[..., None].view(np.uint8)

    def move_stroke(self, changed: "Changed", centre: np.ndarray, radius: float) -> None:
        """Show what a step of a brush moved; centre (3,): where the brush is, as shown."""
        surface = self.surface
        assert surface is not None
        ids = changed.ids
        if len(ids):
            normals = changed.normals
            if self.rest:
                normals = np.einsum("nji,nj->ni", surface.mesh.rotation[ids], normals)
            self.points[ids] = changed.points if self.rest else changed.posed
            soft = normals + self._softer[ids]
            self._normals[ids] = soft / np.linalg.norm(soft, axis=1, keepdims=True).clip(1e-12)
        reach = np.linalg.norm(centre - self._patch_centre) + 1.05 * radius
        if reach > self._patch_reach:
            self._lay_patch(centre, radius)
        elif len(ids):
            places = np.searchsorted(self._patch_ids, ids).clip(0, len(self._patch_ids) - 1)
            mine = self._patch_ids[places] == ids
            self._patch.points[places[mine]] = self.points[ids[mine]]
            np.asarray(self._patch.point_data["Normals"])[places[mine]] = self._normals[ids[mine]]
            self._patch.GetPoints().Modified()
            self._patch.GetPointData().GetNormals().Modified()
        self.stage.redraw(live=True)

    def end_stroke(self) -> None:
        """Draw all together again."""
        self.stage.compose = None
        self._still = None
        self._stills = {}
        if self._patch_actor is not None:
            self._patch_actor.SetVisibility(False)
        if self._actor is not None and self._mesh is not None:
            self._mesh.points[:] = self.points
            self._mesh.point_data["Normals"] = self._normals.astype(np.float32)
            self._mesh.point_data.active_normals_name = "Normals"
            self._mesh.point_data.active_scalars_name = "colour"
            self._mesh.GetPoints().Modified()
            self._actor.mapper.SetInputData(self._mesh)
            self._actor.SetVisibility(not self._previews)
            body = self._body_actor()
            if body is not None:
                body.SetVisibility(not self.solo)
        self._projected = None
        self.stage.redraw()

    # -------------------------------------------------------------------------------------------------------- cameras

    @property
    def aim(self) -> Aim:
        return aim_of(self.stage.plotter.camera)

    def look(self, aim: Aim, *, live: bool = False) -> None:
        """Aim the main view."""
        take_aim(self.stage.plotter.camera, aim)
        self.stage.plotter.reset_camera_clipping_range()
        self.stage.redraw(live=live)

    def picture_from(self, aim: Aim, size: tuple[int, int], *, who: Hashable = None) -> np.ndarray | None:
        """Draw the same scene from elsewhere, (H, W, 3) uint8; None without one. who: the one who shows it."""
        if not self.stage.has_scene or min(size) < 8:
            return None
        plotter = self.stage.plotter
        window, camera, was = plotter.render_window, plotter.camera, self.aim
        before, clipping = window.GetSize(), camera.GetClippingRange()
        take_aim(camera, aim)
        # In a corner of the window where it fits: another size of the window costs the drawing five times over.
        fits = size[0] <= before[0] and size[1] <= before[1]
        if fits:
            plotter.renderer.SetViewport(0, 0, size[0] / before[0], size[1] / before[1])
        else:
            window.SetSize(*size)
        if self.stage.compose is None:
            plotter.reset_camera_clipping_range()
            drawn = self._draw_pixels(size)
        else:
            drawn = self._drawn_in_two(aim, size, who)
        picture = np.ascontiguousarray(drawn[::-1, :, :3])
        plotter.renderer.SetViewport(0, 0, 1, 1)
        if not fits:
            window.SetSize(*before)
        take_aim(camera, was)
        camera.SetClippingRange(*clipping)  # what lies still was drawn with it: depths stay comparable
        return picture

    def _drawn_in_two(self, aim: Aim, size: tuple[int, int], who: Hashable) -> np.ndarray:
        """Draw a stroke that goes on: what lies still once for each view, what moves over it."""
        camera, body = self.stage.plotter.camera, self._body_actor()
        drawn_for = (self._patch_turn, size, self.solo, *(v.tobytes() for v in (aim.eye, aim.focus, aim.up)))
        still = self._stills.get(who)
        if still is None or still.drawn_for != drawn_for:
            self._show_only(still=True, body=body)
            self._patch_actor.SetVisibility(True)  # all of it lies within the range of depths
            self.stage.plotter.reset_camera_clipping_range()
            self._patch_actor.SetVisibility(False)
            picture = self._draw_pixels(size).copy()
            depths = self._read_depths(picture.shape).copy()
            still = self._stills[who] = _Still(drawn_for, picture, depths, camera.GetClippingRange())
            self._show_only(still=False, body=body)
        camera.SetClippingRange(*still.clipping)
        return self._laid_over(still.picture, still.depths, self._draw_pixels(size))

    def _draw_pixels(self, size: tuple[int, int]) -> np.ndarray:
        """Draw, and return what was drawn, (H, W, 4) uint8, the lowest row first."""
        import vtk  # loaded with pyvista, late

        window = self.stage.plotter.render_window
        window.Render()
        pixels: Any = vtk.vtkUnsignedCharArray()
        window.GetRGBACharPixelData(0, 0, size[0] - 1, size[1] - 1, 0, pixels)
        return np.asarray(memoryview(pixels)).reshape(size[1], size[0], 4)


@dataclass(frozen=True, eq=False)
class _Still:
    """What lies still while a stroke goes on, as one view shows it. picture (H, W, 4) uint8; depths (H, W)."""

    drawn_for: tuple[object, ...]
    picture: np.ndarray
    depths: np.ndarray
    clipping: tuple[float, float]


def _poly(points: np.ndarray, faces: np.ndarray, normals: np.ndarray, colours: np.ndarray) -> Any:  # noqa: ANN401
    import pyvista as pv

    padded = np.empty((len(faces), 4), np.int64)
    padded[:, 0], padded[:, 1:] = 3, faces
    mesh = pv.PolyData(np.array(points, np.float32), padded.ravel())
    mesh.point_data["Normals"] = normals.astype(np.float32)
    mesh.point_data.active_normals_name = "Normals"
    mesh.point_data["colour"] = np.asarray(colours, np.uint8)
    mesh.point_data.active_scalars_name = "colour"
    return mesh


def _shows(actor: Any, mesh: Any) -> bool:  # noqa: ANN401
    mapper = getattr(actor, "mapper", None)
    return mapper is not None and mapper.GetInput() is mesh
