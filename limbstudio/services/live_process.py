"""What runs in the live process: fit, follow, cut, draw; answers lie in shared memory.

Nothing heavy is imported here: the program reads this file too, to start the process.
"""

import gc
import os
import signal
import traceback
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING, Any

from limbstudio.domain.errors import KnownError

if TYPE_CHECKING:
    from limbstudio.services.live import LiveRequest

# The last picture of a drag is to be looked at: as many pixels as a screen has.
_SHARP_PX = 1100
# While a point moves, the body may lag by this share of the person's height in the photo: a tenth of a picture's pixel.
_MOVING_WITHIN = 0.0004


def serve(connection: Connection, memory_name: str) -> None:
    """Answer requests until the program that started this process is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal reaches both; the program decides
    memory = SharedMemory(memory_name)
    following = _Following(connection, memory)
    following.warm_up()
    gc.freeze()  # what is loaded stays: a look through all of it would hold up a frame
    while True:
        try:
            request, is_new = connection.recv()
        except (EOFError, OSError):
            os._exit(0)  # the program is gone, however it went
        try:
            following.answer(request, is_new=is_new)
        except KnownError as error:
            connection.send(("trouble", error.message, error.hint, ""))
        except Exception as error:  # noqa: BLE001 - the border "lane": a mistake ends this answer, not the process
            report = "".join(traceback.format_exception(error))
            connection.send(("trouble", "The body cannot follow now.", "", report))
        connection.send(("done",))


class _Following:
    """One drag at a time: where the last answer stands."""

    def __init__(self, connection: Connection, memory: SharedMemory) -> None:
        self._connection = connection
        self._memory = memory
        self._fits: Any = None
        self._surfaces: dict[Any, Any] = {}
        self._sent_faces: Any = None

    def warm_up(self) -> None:
        """Import what is slow and load the bundled body."""
        import limbstudio.rendering.moving  # noqa: F401
        from limbstudio.resihmr.problem import fit_model
        from limbstudio.services.logs import set_up_logs

        set_up_logs("live")
        try:
            fit_model(self._surface_follower(None).body)
        except KnownError:
            return  # the first answer will say it

    def answer(self, request: "LiveRequest", *, is_new: bool) -> None:
        from limbstudio.cameras import choose_camera
        from limbstudio.rendering.moving import LONGEST_SIDE_PX, draw_moving
        from limbstudio.resihmr.following import FitFollower, followed_from
        from limbstudio.resihmr.initial_fit import FOLLOW_WITHIN_PX, fit_to_follow
        from limbstudio.resihmr.problem import box_height
        from limbstudio.services import live_memory
        from limbstudio.services.fit_options import settings_of

        surfaces = self._surface_follower(request.body_file)
        person, photo = request.person, request.photo
        camera = choose_camera(
            (photo.width, photo.height), given_px=person.focal_px, exif_px=photo.focal_exif_px
        )
        settings = settings_of(request.options)
        if is_new:
            self._fits = FitFollower(followed_from(request.start)) if request.start is not None else None
        if self._fits is None:
            self._fits = FitFollower(fit_to_follow(person, camera, surfaces.body, settings=settings))
        within = FOLLOW_WITHIN_PX
        if not request.is_last:
            within = max(within, _MOVING_WITHIN * box_height(person))
        fit = self._fits.fit(person, camera, surfaces.body, settings, within)
        surface = surfaces.surface(person, fit, exact=request.is_last)
        counts = (len(surface.vertices), len(surface.faces))
        if not live_memory.holds(*counts):
            raise KnownError("This body has too many points to follow a drag.", "Fit it after the drag.")
        live_memory.write_body(
            self._memory,
            live_memory.BodyArrays(
                surface.vertices, surface.residual, fit.joints, fit.projected_px, fit.orientation
            ),
        )
        new_faces = surface.faces is not self._sent_faces
        if new_faces:
            live_memory.write_faces(self._memory, surface.faces)
            self._sent_faces = surface.faces
        self._connection.send(("body", counts, new_faces, fit if request.is_last else None))
        if not request.wants_picture:
            return
        drawn = draw_moving(
            surface.vertices,
            surface.faces,
            surface.residual,
            camera,
            _SHARP_PX if request.is_last else LONGEST_SIDE_PX,
        )
        size = drawn.rgba.shape[:2]
        if live_memory.holds_picture(*size):
            live_memory.write_picture(self._memory, drawn.rgba)
            self._connection.send(("picture", size, drawn.origin_px, drawn.scale, drawn.outlines))

    def _surface_follower(self, body_file: Any) -> Any:  # noqa: ANN401 - a path; the body is imported here only
        from limbstudio.body.model import load_body
        from limbstudio.resihmr.following import SurfaceFollower

        if body_file not in self._surfaces:
            self._surfaces.clear()  # one body at a time: each takes 60 MB
            self._surfaces[body_file] = SurfaceFollower(load_body(body_file))
        return self._surfaces[body_file]
