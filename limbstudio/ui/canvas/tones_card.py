"""The card that sets how bright the photo is shown."""

from math import log2

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from limbstudio.rendering.photo_tiles import Adjustment
from limbstudio.ui.actions import Actions
from limbstudio.ui.panels.parts import action_button, label

_GAMMA_STEPS = 100  # a slider's steps per doubling of gamma


class TonesCard(QFrame):
    """Three sliders, grey and back; it floats over the canvas.

    Signals:
        changed(Adjustment): a slider was moved.
        closed(): Esc was pressed.
    """

    changed = Signal(object)
    closed = Signal()

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Tones of the photo")
        self._shown = Adjustment()
        self._brightness, self._brightness_value = self._slider("Brightness", -100, 100)
        self._contrast, self._contrast_value = self._slider("Contrast", -100, 100)
        self._gamma, self._gamma_value = self._slider("Gamma", -2 * _GAMMA_STEPS, 2 * _GAMMA_STEPS)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        rows = (
            (self._brightness, self._brightness_value),
            (self._contrast, self._contrast_value),
            (self._gamma, self._gamma_value),
        )
        for n, (slider, value) in enumerate(rows):
            grid.addWidget(label(slider.accessibleName(), "small"), n, 0)
            grid.addWidget(slider, n, 1)
            grid.addWidget(value, n, 2)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        self.grey = action_button(actions["grey"])
        self.grey.setCheckable(True)
        actions["grey"].toggled.connect(self.grey.setChecked)
        buttons.addWidget(self.grey)
        buttons.addWidget(action_button(actions["plain_tones"]))
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(10)
        column.addWidget(label("Tones of the photo", "title"))
        column.addLayout(grid)
        column.addLayout(buttons)
        column.addWidget(label("Only how it is shown: the file stays as it is.", "caption"))
        self.show_adjustment(Adjustment())

    def _slider(self, name: str, low: int, high: int) -> tuple[QSlider, QLabel]:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(low, high)
        slider.setAccessibleName(name)
        slider.setMinimumWidth(150)
        slider.setPageStep(max((high - low) // 10, 1))
        slider.valueChanged.connect(self._on_moved)
        value = label("", "value")
        value.setMinimumWidth(38)
        value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return slider, value

    def show_adjustment(self, adjustment: Adjustment) -> None:
        """Show how the photo is adjusted now."""
        self._shown = adjustment
        for slider, number in (
            (self._brightness, adjustment.brightness),
            (self._contrast, adjustment.contrast),
            (self._gamma, round(log2(adjustment.gamma) * _GAMMA_STEPS)),
        ):
            slider.blockSignals(True)
            slider.setValue(number)
            slider.blockSignals(False)
        self.grey.setChecked(adjustment.grey)
        self._brightness_value.setText(f"{adjustment.brightness:+d}")
        self._contrast_value.setText(f"{adjustment.contrast:+d}")
        self._gamma_value.setText(f"{adjustment.gamma:.2f}")

    def _on_moved(self) -> None:
        self.changed.emit(
            Adjustment(
                self._brightness.value(),
                self._contrast.value(),
                round(2 ** (self._gamma.value() / _GAMMA_STEPS), 2),
                self._shown.grey,
            )
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)
