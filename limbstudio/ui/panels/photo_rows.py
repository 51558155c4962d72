"""How a photo looks in the list, and how far the project is as a line of colours."""

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget

from limbstudio.domain.photo import Photo
from limbstudio.domain.progress import PhotoState
from limbstudio.ui import icons
from limbstudio.ui import theme as tokens
from limbstudio.ui.panels.photo_model import STATES, PhotoModel, file_name
from limbstudio.ui.theme import Theme

THUMBNAIL = QSize(56, 48)
ROW_HEIGHT = 62


class PhotoDelegate(QStyledItemDelegate):
    def __init__(self, model: PhotoModel, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.theme = theme
        self.compact = False

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        from PySide6.QtWidgets import QStyle

        photo = self._model.photo(index.row())
        if photo is None:
            return
        t = self.theme
        margin = 4 if self.compact else 12
        box = QRectF(option.rect).adjusted(margin, 1, -margin, -1)  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        state = option.state  # type: ignore[attr-defined]
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(t.accent_bg if selected else t.hover))
            painter.drawRoundedRect(box, 6, 6)
        picture = QRectF(box.left() + 6, box.center().y() - 24, THUMBNAIL.width(), THUMBNAIL.height())
        self._paint_thumbnail(painter, picture, photo, selected)
        if self.compact:
            painter.restore()
            return

        left = picture.right() + 10
        code = self._model.code(photo)
        icon, token, word = self._model.state(photo)
        right = box.right() - 8
        if code:
            painter.setFont(tokens.text_font(12, tokens.QFont.Weight.Medium))
            word_ends = left + 19 + painter.fontMetrics().horizontalAdvance(word)
            self._paint_code(painter, code, word_ends + 6, right, box.top() + 31)
        painter.setFont(tokens.text_font(13, tokens.QFont.Weight.DemiBold))
        painter.setPen(QColor(t.text))
        name_box = QRectF(left, box.top() + 8, right - left, 20)
        name = painter.fontMetrics().elidedText(
            file_name(photo), Qt.TextElideMode.ElideMiddle, int(name_box.width())
        )
        vertical = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(name_box, Qt.AlignmentFlag.AlignLeft | vertical, name)

        colour = QColor(getattr(t, token))
        icons.paint_icon(painter, QRectF(left, box.top() + 34, 14, 14), icon, colour)
        painter.setFont(tokens.text_font(12, tokens.QFont.Weight.Medium))
        painter.setPen(colour)
        painter.drawText(QRectF(left + 19, box.top() + 31, box.right() - left - 24, 20), vertical, word)
        painter.restore()

    def _paint_thumbnail(self, painter: QPainter, box: QRectF, photo: Photo, selected: bool) -> None:
        thumbnail = self._model.thumbnail(photo)
        if thumbnail is None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self.theme.raised))
            painter.drawRoundedRect(box, 4, 4)
        else:
            painter.drawPixmap(box.toRect(), thumbnail)
        if selected:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(self.theme.accent))
            painter.drawRoundedRect(box, 4, 4)

    def _paint_code(self, painter: QPainter, code: str, left: float, right: float, top: float) -> None:
        """Draw the limb code as a badge that ends at `right` and begins no farther left than `left`."""
        painter.setFont(tokens.text_font(11, tokens.QFont.Weight.DemiBold))
        code = fitting_code(code, painter.fontMetrics().horizontalAdvance, right - left)
        width = code_width(painter.fontMetrics().horizontalAdvance(code), right - left)
        badge = QRectF(right - width, top, width, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.raised))
        painter.drawRoundedRect(badge, 10, 10)
        painter.setPen(QColor(self.theme.residual))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, code)


def code_width(text: float, room: float) -> float:
    """Return how wide a text's badge may be, px: as wide as it needs, but no wider than the room beside the state."""
    return max(min(text + 18, room), 16)


def fitting_code(code: str, width_of: Callable[[str], float], room: float) -> str:
    """Return as much of a limb code as has room, px: all of it, the first limb and how many more, or that alone.

    width_of: tells how wide a text is, px.
    """
    first, *more = code.split("  ")
    choices = (code, f"{first} +{len(more)}", first) if more else (code,)
    return next((choice for choice in choices if width_of(choice) + 8 <= room), choices[-1])


class ProgressLine(QWidget):
    """How many photos are in which state: a bar of colours; the words stand under it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._counts: dict[PhotoState, int] = {}
        self.setFixedHeight(5)

    def show_counts(self, counts: dict[PhotoState, int]) -> None:
        self._counts = counts
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.theme.hover))
        total = sum(self._counts.values())
        if not total:
            return
        x = 0.0
        order = (
            PhotoState.ACCEPTED,
            PhotoState.READY,
            PhotoState.NO_PERSON,
            PhotoState.SENT_BACK,
            PhotoState.IN_WORK,
        )
        for state in order:
            width = self.width() * self._counts.get(state, 0) / total
            colour = (
                self.theme.line2 if state is PhotoState.IN_WORK else getattr(self.theme, STATES[state][1])
            )
            painter.fillRect(QRectF(x, 0, width, self.height()), QColor(colour))
            x += width
