"""The settings of 'Predict limbs and body': with which weights, and when a proposal is unsure."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from limbstudio.ajahr.build import ReleasedOptions
from limbstudio.services.jobs import JobState, JobView
from limbstudio.services.weights import WeightsState
from limbstudio.ui.panels.parts import label, section

_HOW_TO_ADD = "Add what is missing in a terminal: limbstudio weights add FILE..."
_WIDTH_PX, _MARGIN_PX, _INDENT_PX = 560, 20, 24
_LEAST_TEXT_PX = _WIDTH_PX - 2 * _MARGIN_PX - _INDENT_PX


class PredictionSettings(QDialog):
    """Ask with what is predicted, and remember nothing: who opens it reads the answers once it is accepted.

    The user's own weights can be chosen once `show_weights` has said that they are complete; those that were chosen
    before stay chosen, so that nothing is changed behind anybody's back.
    """

    def __init__(
        self, uses_own: bool, options: ReleasedOptions, unsure_below: float, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Prediction settings")
        self.setMinimumWidth(_WIDTH_PX)
        self._is_open = True
        self._complete = False
        self.small = QRadioButton("LimbStudio's own small networks")
        self.small.setToolTip("They ship with the program and take a moment.")
        self.own = QRadioButton("Your AJAHR weights")
        (self.own if uses_own else self.small).setChecked(True)
        self._group = QButtonGroup(self)
        self._group.addButton(self.small)
        self._group.addButton(self.own)
        self._state = label("", "small")
        self._state.setWordWrap(True)
        self._state.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.second_pass = QCheckBox("Second pass: the decoder looks at BPAC-Net's feature too")
        self.second_pass.setToolTip("The released program leaves it out; its paper describes it.")
        self.second_pass.setChecked(options.second_pass)
        self.release_exact = QCheckBox("Heatmaps in pixels of the photo, exactly as released")
        self.release_exact.setToolTip("By default they lie in the crop, on the person.")
        self.release_exact.setChecked(options.release_exact)
        self.limit = QSpinBox()
        self.limit.setRange(0, 100)
        self.limit.setSuffix(" %")
        self.limit.setValue(round(100 * unsure_below))
        self.limit.setFixedWidth(96)
        self.limit.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.limit.setAccessibleName("Unsure where the two likeliest answers are less apart than")
        self._lay_out()
        self._group.buttonToggled.connect(lambda _button, _on: self._offer())
        self._say("Your AJAHR weights are being looked at.")

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, 16)
        column.setSpacing(10)
        column.addWidget(label("Predict limbs and body", "dialog"))
        column.addWidget(section("Predict with"))
        column.addWidget(self.small)
        column.addWidget(self.own)
        below = QVBoxLayout()
        below.setContentsMargins(_INDENT_PX, 0, 0, 0)
        below.setSpacing(8)
        for widget in (self._state, self.second_pass, self.release_exact):
            below.addWidget(widget)
        column.addLayout(below)
        column.addSpacing(6)
        column.addWidget(section("Limb proposals"))
        about = QLabel("Unsure where the two likeliest answers are less apart than")
        about.setBuddy(self.limit)
        row = QHBoxLayout()
        row.addWidget(about)
        row.addWidget(self.limit)
        row.addStretch(1)
        column.addLayout(row)
        column.addStretch(1)
        cancel, use = QPushButton("Cancel"), QPushButton("Set")
        cancel.clicked.connect(self.reject)
        use.setProperty("role", "primary")
        use.setDefault(True)
        use.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(use)
        column.addLayout(buttons)

    @property
    def options(self) -> ReleasedOptions:
        """Return what is asked of the user's own weights."""
        return ReleasedOptions(self.release_exact.isChecked(), self.second_pass.isChecked())

    @property
    def state_text(self) -> str:
        """Return what is said of the user's own weights."""
        return self._state.text()

    def done(self, result: int) -> None:
        self._is_open = False
        super().done(result)
        self.deleteLater()

    def show_job(self, view: JobView, state: WeightsState | None) -> None:
        """Show how far the look at the weights is. state: what it found, where it has ended well."""
        if not self._is_open or not view.state.has_ended:
            return
        if state is not None:
            self.show_weights(state)
        elif view.state is JobState.CANCELLED:
            self._say("Nobody looked at your AJAHR weights: the job was cancelled.")
        elif view.failure is not None:
            self._say(f"{view.failure.message} {view.failure.hint}".strip())

    def show_weights(self, state: WeightsState) -> None:
        """Offer the user's own weights where they are complete; say what is missing where they are not."""
        self._complete = state.complete
        if state.complete:
            self._say(
                "All there. The first prediction loads them; then a person takes a few seconds without a GPU."
            )
        else:
            lines = [f"Missing: {line}" for line in state.missing]
            self._say("\n".join([*lines, _HOW_TO_ADD]))

    def _say(self, text: str) -> None:
        self._state.setText(text)
        self.own.setToolTip(text)
        self.own.setAccessibleDescription(text)
        self._offer()
        # The dialog grows with what is said later; a layout alone would cut the lines.
        self._state.setMinimumHeight(self._state.heightForWidth(_LEAST_TEXT_PX))

    def _offer(self) -> None:
        self.own.setEnabled(self._complete)
        for box in (self.second_pass, self.release_exact):
            box.setEnabled(self._complete and self.own.isChecked())
