"""Small views of the same limb beside the main one: the photo, and standard views of the body in 3D."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from limbstudio.domain.anatomy import Side
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Photo
from limbstudio.ui.limb.cameras import Aim, pixels_of
from limbstudio.ui.limb.overlay import LimbOverlay, Seen
from limbstudio.ui.mesh_view import View
from limbstudio.ui.theme import QFont, Theme, text_font
from limbstudio.ui.words import said

if TYPE_CHECKING:
    from limbstudio.ui.mesh_page import MeshPage

HEIGHT, HEIGHT_LOW = 196, 140
_LOW_WINDOW_PX = 800
_WORDS = {
    View.FRONT: "Front",
    View.BACK: "Back",
    View.LEFT: "Left side",
    View.RIGHT: "Right side",
    View.TOP: "Top",
    View.BOTTOM: "Bottom",
}
_ROOM = 1.9  # of the photo about the limb


class LinkedView(QWidget):
    """One picture, its name, and what is drawn over it.

    Signals:
        swapped(): a double click; it wants to be the main view.
        resized(): its picture no longer fits.
    """

    swapped = Signal()
    resized = Signal()

    def __init__(self, name: str, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._image = QImage()
        self._held: np.ndarray | None = None
        self._name = name
        self.words = ""  # instead of a picture
        self.seen: Seen | None = None
        self.overlay: LimbOverlay | None = None
        self.set_name(name)

    def set_name(self, name: str) -> None:
        self._name = name
        self.setAccessibleName(f"Linked view: {name.lower()}")
        self.update()

    @property
    def name(self) -> str:
        return self._name

    @property
    def has_picture(self) -> bool:
        return not self._image.isNull()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def show_picture(self, picture: np.ndarray | None, words: str = "") -> None:
        """Show (H, W, 3) uint8, or words where there is none."""
        self.words = words
        self._held = None if picture is None else np.ascontiguousarray(picture)
        if self._held is None:
            self._image = QImage()
        else:
            height, width = self._held.shape[:2]
            self._image = QImage(self._held.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        t = self._theme
        painter = QPainter(self)
        area = QRectF(self.rect())
        painter.fillRect(area, QColor(t.canvas))
        if self._image.isNull():
            painter.setPen(QColor(t.text2))
            painter.setFont(text_font(12))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area.adjusted(12, 12, -12, -12), flags, said(self.words))
        else:
            painter.drawImage(area, self._image)
            if self.overlay is not None and self.seen is not None:
                self.overlay.paint(painter, self.seen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(t.line2), 1))
        painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.setFont(text_font(11, QFont.Weight.DemiBold))
        width = painter.fontMetrics().horizontalAdvance(said(self._name)) + 16
        chip = QRectF(6, 6, width, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(10, 12, 15, 200))
        painter.drawRoundedRect(chip, 4, 4)
        painter.setPen(QColor("#E8EBF0"))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, said(self._name))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.swapped.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()


@dataclass(frozen=True, eq=False)
class _PhotoPicture:
    """A part of the photo with the body over it, and the camera that sees that part."""

    pixels: np.ndarray
    camera: Camera


class LinkedViews(QWidget):
    """The row below the validity strip: photo, front, side, back. A double click swaps one with the main view."""

    def __init__(self, page: "MeshPage", overlay: LimbOverlay, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("validityStrip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._page = page
        self._session = page.work.session
        self._overlay = overlay
        self.photo = LinkedView("Photo", theme)
        self.views = {view: LinkedView(_WORDS[view], theme) for view in (View.FRONT, View.RIGHT, View.BACK)}
        self._shown = dict(zip(self.views, self.views, strict=True))  # slot -> the standard view in it
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 8, 8)
        row.setSpacing(8)
        for widget in (self.photo, *self.views.values()):
            widget.overlay = overlay
            widget.resized.connect(self.refresh)
            row.addWidget(widget, 1)
        for slot, widget in self.views.items():
            widget.swapped.connect(lambda slot=slot: self.swap(slot))
        self.photo.swapped.connect(self._from_the_photo)
        self._aims: dict[View, tuple[tuple[int, int], Aim]] = {}
        self._due: list[View] = []
        self._timer = QTimer(self, interval=0, singleShot=True)
        self._timer.timeout.connect(self._draw_next)
        self._photo_due = QTimer(self, interval=120, singleShot=True)
        self._photo_due.timeout.connect(self._ask_photo)
        self._photo_turn = 0
        self._crop: tuple[object, np.ndarray] | None = None
        page.scene_changed.connect(self.refresh)
        for slot in self.views:
            page.work.turns.add(lambda slot=slot: self._follow(slot))
        self.fit_height(900)

    def set_theme(self, theme: Theme) -> None:
        for widget in (self.photo, *self.views.values()):
            widget.set_theme(theme)
        self.refresh()

    def fit_height(self, window_px: int) -> None:
        """Be as high as a window of this height allows."""
        self.setFixedHeight(HEIGHT_LOW if window_px < _LOW_WINDOW_PX else HEIGHT)

    def name_sides(self) -> None:
        """Show the side that is the limb's outer one."""
        limb = self._page.work.limb
        if limb is not None and self._shown[View.RIGHT] in (View.LEFT, View.RIGHT):
            self._shown[View.RIGHT] = View.LEFT if limb.side is Side.LEFT else View.RIGHT
        for slot, widget in self.views.items():
            widget.set_name(_WORDS[self._shown[slot]])

    def swap(self, slot: View) -> None:
        """Show this view large, and what the main view showed in its place."""
        before, wanted = self._page.placed, self._shown[slot]
        if before is not None and before not in self._shown.values():
            self._shown[slot] = before
        self._page.look_from(wanted)

    def _from_the_photo(self) -> None:
        """Look at the limb from where the photo was taken."""
        self._page.look_as_camera()

    # --------------------------------------------------------------------------------------------------- the pictures

    def refresh(self) -> None:
        """Draw every view anew, one after another as the window has time."""
        if not self.isVisible():
            return
        self.name_sides()
        self._due = list(self.views)
        self._timer.start(0)
        self._photo_due.start()

    def redraw_lines(self) -> None:
        """Draw what lies over the pictures anew."""
        for widget in (self.photo, *self.views.values()):
            widget.update()

    def _follow(self, slot: View) -> bool:
        """The limb moves, or is previewed: draw one view anew, unless all of them are about to be."""
        moves = self._page.work.is_stroked or self._page.scene.previews
        if not moves or not self.isVisible() or slot in self._due:
            return False
        self._draw(slot)
        return True

    def _draw_next(self) -> None:
        if self._due:
            self._draw(self._due.pop(0))
        if self._due:
            self._timer.start(0)

    def _draw(self, slot: View) -> None:
        widget, scene = self.views[slot], self._page.scene
        if not self._page.shows_limb:
            widget.seen = None
            widget.show_picture(None, "" if self._session.fit is None else "No limb is open for correction")
            return
        size = max(widget.width(), 8), max(widget.height(), 8)
        known = self._aims.get(slot)
        if self._page.work.is_stroked and known is not None and known[0] == size:
            aim = known[1]  # a view that comes nearer with each step of a brush would only disturb
        else:
            aim = self._page.aim_for(self._shown[slot], size[0] / size[1])
            self._aims[slot] = size, aim
        picture = scene.picture_from(aim, size, who=slot)
        if picture is not None:
            key = (slot, *(v.tobytes() for v in (aim.eye, aim.focus, aim.up)), size, scene.rest)
            how = Seen(lambda points: pixels_of(aim, points, size), aim.eye, scene.rest, key=key)
            widget.seen = None if scene.previews else how  # lines and ring are of the limb as it stands
            widget.show_picture(picture)

    # ------------------------------------------------------------------------------------------------------- the photo

    def _ask_photo(self) -> None:
        """Draw the corrected body over the photo, about the limb, in a thread."""
        work, kept, photo = self._page.work, self._session.fit, self._session.photo
        corrected, surface = work.corrected, work.surface
        self._photo_turn += 1
        turn = self._photo_turn
        if corrected is None or surface is None or kept is None or photo is None:
            self.photo.seen = None
            self.photo.show_picture(None, "" if kept is None else "No limb is open for correction")
            return
        size = max(self.photo.width(), 8), max(self.photo.height(), 8)
        camera = camera_about(kept.fit.camera, surface.posed(), size)
        if camera is None:
            self.photo.show_picture(None, "The limb lies outside the photo")
            return
        studio, known = self._session.studio, self._crop

        def draw() -> tuple[_PhotoPicture, tuple[object, np.ndarray]]:
            crop = crop_of(photo, camera, kept.fit.camera, known, lambda: studio.photo_pixels(photo))
            return _PhotoPicture(
                with_body(crop[1], corrected.vertices, corrected.faces, corrected.residual, camera), camera
            ), crop

        def drawn(answer: tuple[_PhotoPicture, tuple[object, np.ndarray]]) -> None:
            made, self._crop = answer
            if turn == self._photo_turn:
                self.photo.seen = Seen(made.camera.project, np.zeros(3), False, key=("photo", made.camera))
                self.photo.show_picture(made.pixels)

        def failed(error: BaseException) -> None:
            if turn == self._photo_turn:
                self.photo.show_picture(None, str(error))

        self._session.bridge.load(draw, drawn, failed)


def camera_about(camera: Camera, posed: np.ndarray, size: tuple[int, int]) -> Camera | None:
    """Return the camera of the part of its photo that shows points (n, 3), `size` px large; None where they are not."""
    if (posed[:, 2] <= 0).any():
        return None
    px = camera.project(posed)
    middle = (px.min(axis=0) + px.max(axis=0)) / 2
    width, height = camera.size_px
    if not (-0.5 <= middle[0] <= width - 0.5 and -0.5 <= middle[1] <= height - 0.5):
        return None
    span = np.maximum(np.ptp(px, axis=0), 8.0) * _ROOM
    scale = float(min(size[0] / span[0], size[1] / span[1]))
    center = (np.array(camera.center_px) - middle) * scale + (np.array(size) - 1) / 2
    return Camera(camera.focal_px * scale, (float(center[0]), float(center[1])), size, camera.focal_source)


def crop_of(
    photo: Photo,
    part: Camera,
    whole: Camera,
    known: tuple[object, np.ndarray] | None,
    read: Callable[[], np.ndarray],
) -> tuple[object, np.ndarray]:
    """Return the part of the photo that a camera sees, (H, W, 3) uint8, with the key it is kept under."""
    key = (photo.sha256, part.size_px, part.center_px, part.focal_px)
    if known is not None and known[0] == key:
        return known
    import cv2  # scales the part; only this thread needs it

    scale = part.focal_px / whole.focal_px
    shift = np.array(part.center_px) - scale * np.array(whole.center_px)
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    made = cv2.warpAffine(read(), matrix, part.size_px, flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return key, np.asarray(made, np.uint8)


def with_body(
    photo: np.ndarray, vertices: np.ndarray, faces: np.ndarray, residual: np.ndarray, camera: Camera
) -> np.ndarray:
    """Draw a body over a part of a photo, (H, W, 3) uint8."""
    from limbstudio.rendering.shading import blend, draw_body

    lit = draw_body(vertices, faces, camera, residual=residual, smooth_edges=False)
    return blend(photo, lit, opacity=0.45, residual_opacity=0.62)
