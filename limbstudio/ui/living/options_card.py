"""The card of fit options: typed numbers, posture, who begins, the held shape and the pins."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QFrame,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from limbstudio.domain.anatomy import LDPOSE, Posture
from limbstudio.domain.fitted import FitOptions
from limbstudio.domain.photo import Person
from limbstudio.services.initialisers import INITIALISERS
from limbstudio.ui.actions import Actions
from limbstudio.ui.panels.parts import Choice, label
from limbstudio.ui.theme import Theme

_STATURE_MM = (500.0, 2800.0)
_FOCAL_PX = (50.0, 100_000.0)


class OptionsCard(QFrame):
    """Numbers are taken by Enter or when the field is left; an empty field means not given.

    Signals:
        stature_given(object), focal_given(object): millimetres, pixels; None for not given.
        posture_chosen(str), initialiser_chosen(str).
        hold_asked(bool): hold the shape, or free it.
        unpin_asked(int): LDPose index of a pin.
    """

    stature_given = Signal(object)
    focal_given = Signal(object)
    posture_chosen = Signal(str)
    initialiser_chosen = Signal(str)
    hold_asked = Signal(bool)
    unpin_asked = Signal(int)

    def __init__(self, actions: Actions, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Fit options")
        self.setFixedWidth(318)
        self.stature = self._field("Stature in millimetres", "not given")
        self.focal = self._field("Focal length in pixels", "from the photo")
        self.stature.editingFinished.connect(
            lambda: self._give(self.stature, 0, _STATURE_MM, self.stature_given)
        )
        self.focal.editingFinished.connect(lambda: self._give(self.focal, 1, _FOCAL_PX, self.focal_given))
        self.posture = Choice("Posture", theme)
        for posture in Posture:
            self.posture.addItem(posture.value.capitalize(), posture.value)
        self.posture.activated.connect(lambda _: self.posture_chosen.emit(self.posture.currentData()))
        self.initialiser = Choice("Begin fits by", theme)
        for row in INITIALISERS:
            self.initialiser.addItem(row.title if row.is_there else f"{row.title} (not installed)", row.name)
        self.initialiser.activated.connect(
            lambda _: self.initialiser_chosen.emit(self.initialiser.currentData())
        )
        self.hold = QCheckBox("Hold the body's shape")
        self.hold.clicked.connect(self.hold_asked.emit)
        self.pins = QListWidget()
        self.pins.setAccessibleName("Pinned points; Delete takes a pin away")
        self.pins.setFixedHeight(72)
        form = QFormLayout()
        form.setVerticalSpacing(8)
        form.addRow("Stature, mm", self.stature)
        form.addRow("Focal length, px", self.focal)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        column.addWidget(label("Fit options", "title"))
        column.addLayout(form)
        column.addWidget(self.posture)
        column.addWidget(self.initialiser)
        column.addWidget(self.hold)
        column.addWidget(label("Pinned points", "small"))
        column.addWidget(self.pins)
        self._no_pins = label("", "caption")
        self._no_pins.setWordWrap(True)
        column.addWidget(self._no_pins)
        actions.when_keys_change(
            lambda: self._no_pins.setText(f"None. To pin the selected point, {actions.how('pin_point')}.")
        )
        self._wrong = label("", "error")
        self._wrong.setWordWrap(True)
        self._wrong.hide()
        column.addWidget(self._wrong)
        self._given: list[float | None] = [None, None]
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        for choice in (self.posture, self.initialiser):
            choice.theme = theme
            choice.update()

    def _field(self, name: str, empty: str) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(name)
        field.setPlaceholderText(empty)
        return field

    def show_options(self, person: Person, options: FitOptions) -> None:
        """Show what is asked now."""
        self._given = [person.stature_mm, person.focal_px]
        for field, value in ((self.stature, person.stature_mm), (self.focal, person.focal_px)):
            if not field.hasFocus() or not field.isModified():
                field.setText("" if value is None else f"{value:g}")
        with QSignalBlocker(self.posture), QSignalBlocker(self.initialiser), QSignalBlocker(self.hold):
            self.posture.setCurrentIndex(self.posture.findData(person.posture.value))
            self.initialiser.setCurrentIndex(max(self.initialiser.findData(options.initialiser), 0))
            self.hold.setChecked(options.shape is not None)
        self.pins.clear()
        for pin in options.pins:
            place = "in the picture" if pin.position_m is None else "in space"
            item = QListWidgetItem(f"{LDPOSE[pin.keypoint].label}, {place}")
            item.setData(Qt.ItemDataRole.UserRole, pin.keypoint)
            self.pins.addItem(item)
        self._no_pins.setVisible(not options.pins)
        self.pins.setVisible(bool(options.pins))
        self.adjustSize()

    def _give(self, field: QLineEdit, which: int, limits: tuple[float, float], signal: object) -> None:
        text = field.text().strip().replace(",", ".")
        try:
            value = float(text) if text else None
        except ValueError:
            value = float("nan")
        if value is not None and not limits[0] <= value <= limits[1]:
            self._wrong.setText(f"{field.accessibleName()}: a number from {limits[0]:g} to {limits[1]:g}.")
            self._wrong.show()
            self.adjustSize()
            return
        self._wrong.hide()
        field.setModified(False)
        if value != self._given[which]:
            self._given[which] = value
            signal.emit(value)  # pyright: ignore[reportAttributeAccessIssue]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.pins.currentItem()
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        elif event.key() == Qt.Key.Key_Delete and self.pins.hasFocus() and item is not None:
            self.unpin_asked.emit(int(item.data(Qt.ItemDataRole.UserRole)))
        else:
            super().keyPressEvent(event)
