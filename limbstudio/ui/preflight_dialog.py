"""Before an import: what is new, what is there already and differs, what cannot be read."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from limbstudio.services.importing import OnConflict, Preflight
from limbstudio.ui.messages import shortened
from limbstudio.ui.privacy import names
from limbstudio.ui.words import tr

_CHOICES = (
    (OnConflict.KEEP, "Keep what is in the project"),
    (OnConflict.REPLACE, "Replace it by what the file says"),
    (OnConflict.BESIDE, "Add what the file says beside it, as people of their own"),
)


class PreflightDialog(QDialog):
    """Say what an import would bring and ask what becomes of conflicts. It does not block the window.

    elsewhere: asks in which other folder photos that were not found lie.
    """

    def __init__(
        self,
        preflight: Preflight,
        go_on: Callable[[OnConflict], None],
        parent: QWidget | None = None,
        *,
        elsewhere: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import annotations")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumSize(640, 360)
        heading = QLabel(names.masked(f"Import {preflight.path.name}"))
        heading.setProperty("role", "dialog")
        facts = QLabel(words_of(preflight))
        facts.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 20, 20, 16)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addWidget(facts)
        self._group = QButtonGroup(self)
        self.choices: dict[OnConflict, QRadioButton] = {}
        if preflight.conflicts:
            for choice, words in _CHOICES:
                button = QRadioButton(words)
                self._group.addButton(button)
                self.choices[choice] = button
                column.addWidget(button)
            self.choices[OnConflict.KEEP].setChecked(True)
        lines = [f"{what}\n    {error.message} {error.hint}".rstrip() for what, error in preflight.refused]
        lines += preflight.warnings
        self._details = QPlainTextEdit(names.masked(shortened(lines)))
        self._details.setReadOnly(True)
        self._details.setAccessibleName("What cannot be read, and why")
        self._details.setVisible(bool(lines))
        column.addWidget(self._details, 1)
        if not lines:
            column.addStretch(1)
        self.import_button = QPushButton("Import")
        self.import_button.setProperty("role", "primary")
        self.import_button.setDefault(True)
        self.import_button.setEnabled(not preflight.brings_nothing)
        self.import_button.clicked.connect(lambda _=False: self._import(go_on))
        cancel = QPushButton("Cancel")
        cancel.clicked.connect(self.reject)
        self.elsewhere_button = QPushButton("Photos are in another folder…")
        self.elsewhere_button.setVisible(bool(preflight.absent) and elsewhere is not None)
        if elsewhere is not None:
            self.elsewhere_button.clicked.connect(lambda _=False: self._look_elsewhere(elsewhere))
        buttons = QHBoxLayout()
        buttons.addWidget(self.elsewhere_button)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self.import_button)
        column.addLayout(buttons)

    @property
    def on_conflict(self) -> OnConflict:
        return next((c for c, button in self.choices.items() if button.isChecked()), OnConflict.KEEP)

    @property
    def details(self) -> str:
        return self._details.toPlainText()

    def _look_elsewhere(self, elsewhere: Callable[[], None]) -> None:
        self.reject()
        elsewhere()

    def _import(self, go_on: Callable[[OnConflict], None]) -> None:
        chosen = self.on_conflict
        self.accept()
        go_on(chosen)


def words_of(preflight: Preflight) -> str:
    """Return what an import would bring, as sentences."""
    sentences = [
        f"New: {counted(preflight.new_photos, 'photo', 'photos')}, "
        f"{counted(preflight.new_people, 'person', 'people')}."
    ]
    if preflight.known_photos:
        sentences.append(
            f"{counted(preflight.known_photos, 'photo is', 'photos are')} in the project already."
        )
    if preflight.same_people:
        sentences.append(
            f"{counted(preflight.same_people, 'person is', 'people are')} there already, the same as in the file."
        )
    if preflight.conflicts:
        sentences.append(
            f"{counted(len(preflight.conflicts), 'person differs', 'people differ')} from what is in the project."
        )
    if preflight.absent:
        sentences.append(f"Not found: {counted(preflight.absent, 'photo', 'photos')}.")
    unread = len(preflight.refused) - preflight.absent
    if unread:
        sentences.append(f"{counted(unread, 'entry', 'entries')} cannot be read; see below.")
    if preflight.brings_nothing:
        sentences.append("So there is nothing to import.")
    else:
        sentences.append("The import can be taken back as one.")
    return " ".join(sentences)


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun: '1 photo', '3 photos'."""
    return f"{number} {tr(one if number == 1 else many)}"
