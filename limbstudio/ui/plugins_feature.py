"""Plugins in the window: exporters and commands in the menus and the palette, inspectors as panels."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QVBoxLayout, QWidget

from limbstudio.api import Command, Exporter, Inspector
from limbstudio.services import plugin_work
from limbstudio.services.plugins import Plugins, discover
from limbstudio.ui.action_row import ActionRow, Owner, Where
from limbstudio.ui.features import Feature
from limbstudio.ui.panels.parts import section
from limbstudio.ui.theme import Theme

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_SETTLED_MS = 250  # an inspector is asked when edits pause, not at each of them


class PluginsFeature(Feature):
    """Load plugins after the first paint and give each its place."""

    owner = Owner.PLUGINS

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self.plugins: Plugins | None = None
        self.panels: list[InspectorPanel] = []
        QTimer.singleShot(0, self._load)

    def _load(self) -> None:
        self.session.bridge.load(discover, self.take, lambda error: self._failed(error))

    def _failed(self, error: BaseException) -> None:
        raise error

    def take(self, plugins: Plugins) -> None:
        """Give every plugin its place; say which could not be loaded, or did not get the key it wished for."""
        self.plugins = plugins
        said = [refused.reason for refused in plugins.refused]
        for name, exporter in plugins.exporters.items():
            row = ActionRow(f"plugin_{name}", f"Export: {exporter.name}...", "ph.puzzle-piece", "",
                            "File/Export with a plugin", group=2, needs="photos", synonyms="plugin")  # fmt: skip
            self.window.actions_table.add(row, lambda n=name, e=exporter: self._export(n, e))
        for name, command in plugins.commands.items():
            row = ActionRow(f"plugin_{name}", command.name, "ph.puzzle-piece", "", "Person/Plugins",
                            tuple(command.keys), where=Where.WINDOW, group=6, needs="photo",
                            synonyms="plugin")  # fmt: skip
            refused = self.window.actions_table.add(row, lambda c=command: self._run(c))
            self.window.addAction(self.window.actions_table[row.id])
            said += [f"“{command.name}” did not get the key {key}: it is in use." for key in refused]
        for inspector in plugins.inspectors.values():
            panel = InspectorPanel(self, inspector)
            self.panels.append(panel)
            self.window.person_panel.add_panel(panel)
        if said:
            self.window.message_bar.say(" ".join(said), "See `limbstudio plugins list`.", serious=False)
        self.window.show_available()

    def _export(self, name: str, exporter: Exporter) -> None:
        path = self.window.dialogs.file_to_write(f"Export: {exporter.name}", exporter.suffix)
        if path is not None:
            self.session.start(lambda: self.session.studio.export_plugin(name, path))

    def _run(self, command: Command) -> None:
        photo, studio = self.session.photo, self.session.studio
        if photo is not None and self.session.may_edit():
            self.session.start(
                lambda: studio.run(
                    lambda context: plugin_work.run_command(studio, context, command, photo.sha256),
                    title=command.name,
                )
            )


class InspectorPanel(QWidget):
    """The rows of one inspector, worked out anew in a thread when the photo's people change."""

    def __init__(self, feature: PluginsFeature, inspector: Inspector) -> None:
        super().__init__()
        self._session = feature.session
        self._inspector = inspector
        self._asked = 0
        self.setAccessibleName(inspector.name)
        frame = QFrame()
        self._form = QFormLayout(frame)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setVerticalSpacing(4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(section(inspector.name))
        column.addWidget(frame)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLED_MS)
        self._timer.timeout.connect(self._ask)
        session = feature.session
        session.photo_selected.connect(self._timer.start)
        session.people_changed.connect(lambda _entry: self._timer.start())
        self._timer.start()

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Return what is shown."""
        return [(self._text(row, QFormLayout.ItemRole.LabelRole), self._text(row, QFormLayout.ItemRole.FieldRole))
                for row in range(self._form.rowCount())]  # fmt: skip

    def _text(self, row: int, role: QFormLayout.ItemRole) -> str:
        item = self._form.itemAt(row, role)
        widget = item.widget() if item is not None else None
        return widget.text() if isinstance(widget, QLabel) else ""

    def set_theme(self, theme: Theme) -> None:
        """Nothing here is drawn by hand."""

    def _ask(self) -> None:
        photo, studio = self._session.photo, self._session.studio
        self._asked += 1
        asked = self._asked
        if photo is None:
            self._show(asked, ())
            return
        self._session.bridge.read(
            lambda: plugin_work.inspect(studio, _Quiet(), self._inspector, photo.sha256),
            lambda rows: self._show(asked, rows),
            lambda error: self._show(asked, (("Could not be worked out", str(error)),)),
            background=True,
        )

    def _show(self, asked: int, rows: object) -> None:
        if asked != self._asked or not isinstance(rows, tuple):
            return  # something newer was asked meanwhile
        while self._form.rowCount():
            self._form.removeRow(0)
        for what, value in rows:
            text = QLabel(value)
            text.setProperty("role", "value")
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._form.addRow(QLabel(what), text)


class _Quiet:
    """The context of work that nobody watches."""

    def report(self, fraction: float, sentence: str = "") -> None:
        pass
