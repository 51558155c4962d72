"""One or two keys for everything: a switch or pedal steps through choices and takes one; resting places points."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QComboBox, QMenu, QWidget

from limbstudio.domain.anatomy import Limb
from limbstudio.ui.action_row import Owner
from limbstudio.ui.actions import readable_key
from limbstudio.ui.features import Feature
from limbstudio.ui.guided import Phase
from limbstudio.ui.shortcuts.dwell import Dwell
from limbstudio.ui.shortcuts.layouts import key_text
from limbstudio.ui.shortcuts.number_menu import NumberedMenu
from limbstudio.ui.shortcuts.scan_card import AimLine, ScanCard, SwitchSettings
from limbstudio.ui.shortcuts.scanning import Aim, Scan, choices, fixed, following, moved, renewed, turned
from limbstudio.ui.theme import Theme

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_ROUNDS = 3  # after so many rounds without a choice the scan waits for the key
_AIM_MS = 30
_SLOWER = 0.4  # a line that was turned round goes slower: it had gone past
_OWN_WORDS = {"aim": "Aim with the line", "limb_levels": "Set a limb's level"}


class Switches(Feature):
    """Lights one choice after the other, takes the lit one, aims with a line, and places where the pointer rests."""

    owner = Owner.SWITCHES

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._actions = window.actions_table
        self._page = window.annotate_page
        self._view = self._page.view
        memory = window.memory
        self.pace_s = float(str(memory.value("switch/pace_s", 0.0)))
        self.crossing_s = float(str(memory.value("switch/crossing_s", 6.0)))
        self.scan = Scan()
        self.aim: Aim | None = None
        self._aim_speed = 1.0
        central = window.centralWidget()
        assert central is not None
        self.card = ScanCard(window.theme, self._take_number, central)
        self.card.hide()
        self.line = AimLine(self._view.viewport())
        self.dwell = Dwell(self._view)
        self.dwell.wait_ms = round(1000 * float(str(memory.value("switch/rest_s", 1.0))))
        self._taker = KeyTaker(self)
        self._pace = QTimer(self)
        self._pace.timeout.connect(self._on_pace)
        self._aiming = QTimer(self)
        self._aiming.setInterval(_AIM_MS)
        self._aiming.timeout.connect(self._on_aim)
        if str(memory.value("switch/dwell", "false")) == "true":
            self._actions["dwell"].setChecked(True)
            self.dwell.set_on(True)
        self._later = QTimer(self)  # after the actions know whether they can be run now
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.refresh)
        session = self.session
        for signal in (
            session.person_selected,
            session.photo_selected,
            session.fit_changed,
            session.opened,
            session.closed,
            session.people_changed,
            session.point_selected,
            self._page.reading.shown,
        ):
            signal.connect(lambda *_: self._later.start(0))
        central.installEventFilter(self)
        self._actions.when_keys_change(self._follow_keys)

    def set_theme(self, theme: Theme) -> None:
        self.card.set_theme(theme)
        self.refresh()

    def close(self) -> None:
        self._taker.stop()
        for timer in (self._pace, self._aiming, self._later):
            timer.stop()

    # ------------------------------------------------------------------------------------------------- being in use

    @property
    def is_active(self) -> bool:
        """Tell whether a key steps or takes: then the card is shown."""
        return bool(self._actions.keys_of("scan_next") or self._actions.keys_of("scan_take"))

    def _follow_keys(self) -> None:
        self._taker.keys = {
            key: step
            for action_id, step in (("scan_next", self.next_choice), ("scan_take", self.take_choice))
            for key in self._actions.keys_of(action_id)
        }
        self._taker.stop()
        if self.is_active:
            self._taker.start()
        self._start_pace()
        self._later.start(0)

    def _start_pace(self) -> None:
        self._pace.stop()
        if self.is_active and self.pace_s > 0:
            self._pace.start(round(1000 * self.pace_s))

    def refresh(self) -> None:
        """Show what can be chosen now."""
        if not self.is_active:
            self.card.hide()
            return
        session = self.session
        now = choices(
            self._page.guide.phase,
            has_photo=session.photo is not None,
            has_person=session.person is not None,
            has_3d=self.window.mesh_page.isVisible(),
            expected=self._view.keyboard_place is not None,
            proposals=self._actions["accept_proposals"].isEnabled(),
        )
        self.scan = renewed(self.scan, [choice for choice in now if self._can(choice)])
        next_key, take_key = (self._actions.keys_of(action_id) for action_id in ("scan_next", "scan_take"))
        words = [
            f"{readable_key(keys[0])} {word}"
            for keys, word in ((next_key, "next"), (take_key, "take"))
            if keys
        ]
        self.card.show_choices([self._words(c) for c in self.scan.choices], self.scan.at, " · ".join(words))
        self.card.show()
        self._settle()

    def _settle(self) -> None:
        """Put the card at the left edge of what is worked on, below its bars."""
        central = self.card.parentWidget()
        assert central is not None
        over: QWidget = self.window.mesh_page if self.window.mesh_page.isVisible() else self._page
        if not over.isVisible():
            over = self.window.start_page
        corner = over.mapTo(central, over.rect().topLeft())
        self.card.move(corner.x() + 12, corner.y() + 64)
        self.card.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and self.card.isVisible():
            QTimer.singleShot(0, self._settle)
        return False

    def _can(self, choice: str) -> bool:
        if choice in _OWN_WORDS or (choice == "skip" and self._page.guide.phase is Phase.LIMBS):
            return self.session.can_edit
        return self._actions[choice].isEnabled()

    def _words(self, choice: str) -> str:
        if choice == "skip" and self._page.guide.phase is Phase.LIMBS:
            return "All limbs are intact"
        return _OWN_WORDS.get(choice) or self._actions[choice].text().removesuffix("...")

    # ------------------------------------------------------------------------------------------------ stepping, taking

    def next_choice(self) -> None:
        """Light the next choice; in a menu, a ring or a dialog the next of theirs."""
        self._start_pace()
        if self.aim is not None:
            self.aim, self._aim_speed = turned(self.aim), _SLOWER
        elif not self._step_elsewhere():
            self.scan = following(self.scan)
            self.refresh()

    def take_choice(self) -> None:
        """Take the lit choice."""
        if self.pace_s > 0 and not self._pace.isActive():
            self._start_pace()  # the scan had stopped: begin again
            self.scan = Scan(self.scan.choices)
            self.refresh()
            return
        self._start_pace()
        if self.aim is not None:
            self._fix_line()
        elif not self._take_elsewhere():
            self._take(self.scan.chosen)

    def _take_number(self, number: int) -> None:
        self._take(self.scan.choices[number])

    def _take(self, choice: str) -> None:
        if choice == "aim":
            self.aim, self._aim_speed = Aim(), 1.0
            self._aiming.start()
        elif choice == "limb_levels":
            self._show_limbs()
        elif choice == "skip" and self._page.guide.phase is Phase.LIMBS:
            self._page.guiding.skip()
        elif choice:
            self._actions[choice].trigger()
        self.scan = Scan(self.scan.choices)
        self._later.start(0)

    def _show_limbs(self) -> None:
        """Offer the limbs; the one taken shows its levels as a click on the diagram does."""
        menu = NumberedMenu("Limbs", self._page)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        diagram = self.window.person_panel.diagram
        for limb in (Limb.RIGHT_LEG, Limb.LEFT_LEG, Limb.RIGHT_ARM, Limb.LEFT_ARM):
            words = limb.value.replace("_", " ").capitalize()
            menu.add_choice(words, lambda chosen=limb: diagram.limb_chosen.emit(chosen))
        menu.popup(self.card.mapToGlobal(self.card.rect().topRight()))
        menu.setActiveAction(menu.actions()[0])

    def _on_pace(self) -> None:
        if self.aim is not None:
            return
        if not self._step_elsewhere():
            self.scan = following(self.scan)
            self.refresh()
            if self.scan.rounds >= _ROUNDS:
                self._pace.stop()

    def _elsewhere(self) -> QWidget | None:
        """Return what has the keys instead of the card: an open menu, list, ring or field of commands, a dialog."""
        popup = QApplication.activePopupWidget()
        if isinstance(popup, QMenu):
            return _innermost(popup)
        if popup is not None:
            view = popup.findChild(QAbstractItemView)
            return popup if view is None else view
        active = QApplication.activeWindow()
        if active is not None and active is not self.window:
            return active
        focus = QApplication.focusWidget()
        cards = ("StateRing", "PickCard", "Palette")
        widget = focus
        while widget is not None and type(widget).__name__ not in cards:
            widget = widget.parentWidget()
        return focus if widget is not None and widget.isVisible() else None

    def _step_elsewhere(self) -> bool:
        where = self._elsewhere()
        if where is None:
            return False
        if isinstance(where, QMenu):
            entries = [a for a in where.actions() if a.isEnabled() and not a.isSeparator()]
            at_end = bool(entries) and where.activeAction() is entries[-1]
            _press(where, Qt.Key.Key_Escape if at_end else Qt.Key.Key_Down)  # past the end a menu closes
        elif where.isWindow():
            QApplication.sendEvent(where.focusWidget() or where, _event(QEvent.Type.KeyPress, Qt.Key.Key_Tab))
        else:
            _press(where, Qt.Key.Key_Down)
        return True

    def _take_elsewhere(self) -> bool:
        where = self._elsewhere()
        if where is None:
            return False
        target = where.focusWidget() or where if where.isWindow() and not isinstance(where, QMenu) else where
        if isinstance(target, QAbstractButton):
            target.click()
        elif isinstance(target, QComboBox):
            target.showPopup()
        else:
            _press(target, Qt.Key.Key_Return)
        return True

    # ------------------------------------------------------------------------------------------------------- aiming

    def _on_aim(self) -> None:
        if self.aim is None or not self._view.isVisible():
            self._end_aim()
            return
        self.aim = moved(self.aim, self._aim_speed * _AIM_MS / 1000 / self.crossing_s)
        self.line.show_aim(self.aim)

    def _fix_line(self) -> None:
        assert self.aim is not None
        self.aim, place = fixed(self.aim)
        self._aim_speed = 1.0
        if place is None:
            return
        size = self._view.viewport().size()
        at = self._view.on_photo(QPointF(place[0] * size.width(), place[1] * size.height()))
        self._end_aim()
        self._view.clicked_to_place.emit(at.x(), at.y())

    def _end_aim(self) -> None:
        self.aim = None
        self._aiming.stop()
        self.line.hide()
        self.refresh()

    # -------------------------------------------------------------------------------------------------------- settings

    def set_dwell(self, on: bool) -> None:
        """Place points where the pointer rests, or only by click and key."""
        self.dwell.set_on(on)
        self.window.memory.setValue("switch/dwell", "true" if on else "false")
        if on:
            seconds = self.dwell.wait_ms / 1000
            words = f"A point is placed where the pointer rests for {seconds:.1f} s."
            self.window.message_bar.say(words, "", serious=False)

    def show_settings(self) -> None:
        """Open the settings of switches and of the resting pointer."""
        values = (self.pace_s, self.crossing_s, self.dwell.wait_ms / 1000)
        SwitchSettings(values, self.dwell.is_on, self._apply, self.window).show()

    def _apply(self, pace_s: float, crossing_s: float, rest_s: float, rests: bool) -> None:
        self.pace_s, self.crossing_s, self.dwell.wait_ms = pace_s, crossing_s, round(1000 * rest_s)
        memory = self.window.memory
        for name, value in (("pace_s", pace_s), ("crossing_s", crossing_s), ("rest_s", rest_s)):
            memory.setValue(f"switch/{name}", value)
        if rests != self.dwell.is_on:
            self._actions["dwell"].setChecked(rests)
            self.set_dwell(rests)
        self._start_pace()


class KeyTaker(QObject):
    """Takes the one or two keys before anything else in the program sees them: also in menus and dialogs.

    keys: key -> what it does. It listens only while such keys are in force.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.keys: dict[str, object] = {}

    def start(self) -> None:
        app = QApplication.instance()
        assert app is not None
        app.installEventFilter(self)

    def stop(self) -> None:
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            return False
        if not isinstance(event, QKeyEvent):
            return False
        if kind is not QEvent.Type.ShortcutOverride and not event.spontaneous():
            return False  # what we send to menus and views ourselves
        act = self.keys.get(key_text(event))
        if act is None:
            return False
        event.accept()
        if kind is QEvent.Type.KeyPress and not event.isAutoRepeat() and callable(act):
            act()
        return kind is not QEvent.Type.ShortcutOverride


def _event(kind: QEvent.Type, key: Qt.Key) -> QKeyEvent:
    return QKeyEvent(kind, key, Qt.KeyboardModifier.NoModifier)


def _innermost(menu: QMenu) -> QMenu:
    """Return the submenu that is open last: Qt names the first."""
    entry = menu.activeAction()
    inner = entry.menu() if entry is not None else None
    return _innermost(inner) if isinstance(inner, QMenu) and inner.isVisible() else menu


def _press(target: QWidget, key: Qt.Key) -> None:
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(target, _event(kind, key))
