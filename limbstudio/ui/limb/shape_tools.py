"""The shape of the limb's end, and the other side's shape mirrored: numbers, a preview, and Apply."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QWidget

from limbstudio.domain.corrections import MirrorOther, Operation, TipKind, TipShape
from limbstudio.ui.limb.brush_tool import number
from limbstudio.ui.limb.toolbox import LimbTool
from limbstudio.ui.limb.work import LimbWork
from limbstudio.ui.panels.parts import label

_PREVIEW_MS = 120


class _NumbersTool(LimbTool):
    """A tool without a place: its numbers make an operation, which is previewed and applied."""

    def __init__(self, work: LimbWork) -> None:
        self._work = work
        self._is_shown = False
        self.options = QWidget()
        self._row = QHBoxLayout(self.options)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        self._due = QTimer(self.options, interval=_PREVIEW_MS, singleShot=True)
        self._due.timeout.connect(self._preview)
        self.apply_button = QPushButton("Apply")
        self.apply_button.setToolTip("Apply   Enter")
        self.apply_button.clicked.connect(lambda _=False: self.apply())

    def operation(self) -> Operation:
        """Return what the numbers say."""
        raise NotImplementedError

    def _add(self, words: str, field: QWidget) -> None:
        self._row.addWidget(label(words, "small"))
        self._row.addWidget(field)

    def look(self) -> None:
        """Show soon what the numbers would make of the limb."""
        self._due.start()

    def _preview(self) -> None:
        if self._work.can_correct:
            self._is_shown = True
            self._work.preview_whole(self.operation())

    def apply(self) -> None:
        """Make an edit of the numbers."""
        self._due.stop()
        self._is_shown = False
        self._work.preview_whole(None)
        self._work.propose(self.operation())

    def leave(self) -> None:
        self._due.stop()
        if self._is_shown:
            self._is_shown = False
            self._work.preview_whole(None)

    def key(self, event: QKeyEvent) -> bool:
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return False
        self.apply()
        return True


class TipTool(_NumbersTool):
    """Choose whether the end is conical, cylindrical or bulbous, how round it is, and how deep a fold."""

    id = "tip_shape"
    hint = "The view shows the shape; Enter or Apply keeps it, Esc leaves the end as it was."

    def __init__(self, work: LimbWork) -> None:
        super().__init__(work)
        self.kind = QComboBox()
        self.kind.setAccessibleName("Kind of end")
        self.kind.setToolTip("How the girth changes towards the end")
        for kind in TipKind:
            self.kind.addItem(kind.value.capitalize(), kind)
        self.roundness = number(50, 0, 100, 5, "Roundness: 0 flat, 100 pointed")
        self.fold = number(0, 0, 100, 5, "Depth of a fold of skin across the end")
        for field in (self.roundness, self.fold):
            field.setSuffix(" %")
            field.valueChanged.connect(lambda _value: self.look())
        self.kind.currentIndexChanged.connect(lambda _index: self.look())
        self._row.addWidget(self.kind)
        self._add("Roundness", self.roundness)
        self._add("Fold", self.fold)
        self._row.addWidget(self.apply_button)

    def operation(self) -> TipShape:
        return TipShape(
            TipKind(self.kind.currentData()), self.roundness.value() / 100, self.fold.value() / 100
        )

    def enter(self) -> None:
        last = next((item for item in reversed(self._work.operations) if isinstance(item, TipShape)), None)
        if last is not None:
            self.kind.blockSignals(True)
            self.kind.setCurrentIndex(list(TipKind).index(last.kind))
            self.kind.blockSignals(False)
            for field, value in ((self.roundness, last.roundness), (self.fold, last.fold)):
                field.blockSignals(True)
                field.setValue(value * 100)
                field.blockSignals(False)


class MirrorTool(_NumbersTool):
    """Give the wall the other side's shape, mirrored."""

    id = "mirror_other"
    hint = "The wall takes the other side's shape; the end stays. Enter or Apply keeps it."

    def __init__(self, work: LimbWork) -> None:
        super().__init__(work)
        self.share = number(100, 5, 100, 5, "How much of the other side's shape")
        self.share.setSuffix(" %")
        self.share.valueChanged.connect(lambda _value: self.look())
        self._add("Share", self.share)
        self._row.addWidget(self.apply_button)

    def operation(self) -> MirrorOther:
        return MirrorOther(self.share.value() / 100)

    def enter(self) -> None:
        self.look()
