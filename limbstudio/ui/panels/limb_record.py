"""Under the limb diagram: cause, device and certainty of each limb that is not intact, as chips that open a menu."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from limbstudio.domain import people_edits
from limbstudio.domain.anatomy import Cause, Device, Level, Limb, LimbState
from limbstudio.domain.edits import Edit
from limbstudio.domain.photo import Person
from limbstudio.ui.session import Session

_CAUSES = {Cause.ACQUIRED: "Acquired", Cause.CONGENITAL: "Congenital", Cause.UNKNOWN: "Cause?"}
_CAUSE_LINES = {Cause.ACQUIRED: "Acquired", Cause.CONGENITAL: "Congenital", Cause.UNKNOWN: "Not known"}
_DEVICES = {
    Device.NONE: "No prosthesis",
    Device.WORN: "Prosthesis worn",
    Device.BESIDE: "Prosthesis beside",
    Device.UNKNOWN: "Prosthesis?",
}
_DEVICE_LINES = {**_DEVICES, Device.UNKNOWN: "Not known"}
_ORDER = (Limb.RIGHT_ARM, Limb.LEFT_ARM, Limb.RIGHT_LEG, Limb.LEFT_LEG)
_SHORT = {Limb.RIGHT_ARM: "R arm", Limb.LEFT_ARM: "L arm", Limb.RIGHT_LEG: "R leg", Limb.LEFT_LEG: "L leg"}


def limbs_with_record(person: Person | None) -> tuple[Limb, ...]:
    """Return the limbs of a person that differ, in the panel's order."""
    if person is None:
        return ()
    return tuple(limb for limb in _ORDER if person.limbs[limb].level is not Level.INTACT)


_NAME_PX, _GAP_PX = 36, 6


class LimbRecord(QWidget):
    """One row of chips per limb that is not intact; nothing where all are."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 2, 0, 0)
        self._rows.setSpacing(4)
        self.chips: dict[tuple[Limb, str], QPushButton] = {}
        self._lines: list[tuple[QBoxLayout, QWidget]] = []
        self._shown: tuple[tuple[Limb, LimbState], ...] = ()

    def show_person(self, person: Person | None) -> None:
        """Show the records of a person's limbs."""
        limbs = limbs_with_record(person)
        shown = tuple((limb, person.limbs[limb]) for limb in limbs) if person is not None else ()
        if shown == self._shown:
            return
        self._shown = shown
        focused = next((key for key, chip in self.chips.items() if chip.hasFocus()), None)
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.chips, self._lines = {}, []
        for limb, state in shown:
            self._rows.addWidget(self._row(limb, state))
        if focused in self.chips:
            self.chips[focused].setFocus()
        self._break_lines()

    def _break_lines(self) -> None:
        """Put the name of a limb above its chips where they have no room beside it."""
        for whole, chips in self._lines:
            fits = _NAME_PX + _GAP_PX + chips.sizeHint().width() <= self.width()
            beside, above = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
            whole.setDirection(beside if fits else above)
            whole.setSpacing(_GAP_PX if fits else 1)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._break_lines()

    def _row(self, limb: Limb, state: LimbState) -> QWidget:
        row, chips = QWidget(), QWidget()
        whole = QBoxLayout(QBoxLayout.Direction.LeftToRight, row)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(_GAP_PX)
        name = QLabel(_SHORT[limb])
        name.setProperty("role", "caption")
        name.setFixedWidth(_NAME_PX)
        whole.addWidget(name)
        whole.addWidget(chips, 1)
        self._lines.append((whole, chips))
        line = QHBoxLayout(chips)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(_GAP_PX)
        words = limb.value.replace("_", " ")
        line.addWidget(self._chip(limb, "cause", _CAUSES[state.cause], f"Cause of the {words}'s difference"))
        line.addWidget(self._chip(limb, "device", _DEVICES[state.device], f"Prosthesis of the {words}"))
        sure = "Sure" if state.certain else "Not sure"
        line.addWidget(self._chip(limb, "certain", sure, f"Whether you are sure of the {words}'s record"))
        line.addStretch(1)
        return row

    def _chip(self, limb: Limb, what: str, text: str, tip: str) -> QPushButton:
        chip = QPushButton(text)
        chip.setProperty("role", "chip")
        chip.setToolTip(tip)
        chip.setAccessibleName(f"{tip}: {text.rstrip('?')}")
        chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        chip.clicked.connect(lambda _=False: self._on_chip(limb, what))
        self.chips[limb, what] = chip
        return chip

    def _on_chip(self, limb: Limb, what: str) -> None:
        person = self._session.person
        if person is None:
            return
        state = person.limbs[limb]
        if what == "certain":
            self._session.do(people_edits.set_certainty(person, limb, not state.certain))
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if what == "cause":
            for cause, words in _CAUSE_LINES.items():
                self._add(
                    menu, words, state.cause is cause, lambda c=cause: people_edits.set_cause(person, limb, c)
                )
        else:
            for device, words in _DEVICE_LINES.items():
                self._add(
                    menu,
                    words,
                    state.device is device,
                    lambda d=device: people_edits.set_device(person, limb, d),
                )
        chip = self.chips[limb, what]
        menu.popup(chip.mapToGlobal(QPoint(0, chip.height())))

    def _add(self, menu: QMenu, words: str, checked: bool, edit: Callable[[], Edit]) -> None:
        action = menu.addAction(words)
        action.setCheckable(True)
        action.setChecked(checked)
        action.triggered.connect(lambda _=False: self._session.do(edit()))
