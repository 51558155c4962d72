"""The person in work: limbs, points, what needs a second look, and the two buttons of the next step."""

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QContextMenuEvent, QIcon, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QScrollArea,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from limbstudio.domain import edits
from limbstudio.domain.anatomy import (
    LDPOSE,
    KeypointState,
    Level,
    Limb,
    impossible_keypoints,
    intact_limbs,
    level_rule,
    levels_of,
)
from limbstudio.domain.edits import person_contradictions
from limbstudio.domain.limb_proposals import UNSURE_BELOW, LimbProposal, LimbProposals
from limbstudio.domain.photo import Person
from limbstudio.domain.review import ReviewState
from limbstudio.services.limb_proposals import kept_proposals, what_is_read
from limbstudio.ui import guided, icons
from limbstudio.ui.actions import Actions
from limbstudio.ui.glyphs import STATE_WORDS, Glyph, glyph_icon, glyph_of
from limbstudio.ui.level_words import level_words
from limbstudio.ui.limb_diagram import LimbDiagram
from limbstudio.ui.panels.findings import Finding, FindingsList
from limbstudio.ui.panels.limb_record import LimbRecord
from limbstudio.ui.panels.parts import (
    Choice,
    ElidedLabel,
    action_button,
    label,
    line,
    section,
    set_role,
    tool_button,
)
from limbstudio.ui.privacy import names
from limbstudio.ui.session import Session
from limbstudio.ui.theme import Theme

_LIMBS = (Limb.RIGHT_ARM, Limb.LEFT_ARM, Limb.RIGHT_LEG, Limb.LEFT_LEG)
_GROUPS = {
    "Head": ("nose", "eye", "ear"),
    "Arms": ("shoulder", "elbow", "wrist"),
    "Legs": ("hip", "knee", "ankle"),
}
_REVIEW_BADGES = {
    ReviewState.NEW: ("New", "badge"),
    ReviewState.IN_WORK: ("In work", "badge-accent"),
    ReviewState.READY: ("Ready", "badge-ok"),
    ReviewState.ACCEPTED: ("Accepted", "badge-ok"),
    ReviewState.SENT_BACK: ("Sent back", "badge-warn"),
}


def limb_name(limb: Limb) -> str:
    """Return a limb's name: 'Right leg'."""
    return limb.value.replace("_", " ").capitalize()


class PointTree(QTreeWidget):
    """The points of one person, in groups; letters go to the canvas' actions, not to a search for names."""

    def keyboardSearch(self, search: str) -> None:
        pass


class PersonPanel(QWidget):
    """Show and edit the person in work."""

    def __init__(
        self, session: Session, actions: Actions, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("rightPanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session = session
        self._actions = actions
        self._theme = theme
        self._asked: int | None = None
        self._unsure_below = UNSURE_BELOW
        self._icons: dict[Glyph, QIcon] = {}

        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 10, 0, 0)
        whole.setSpacing(6)
        whole.addLayout(self._make_head())
        whole.addWidget(line())
        self._make_limbs()
        whole.addWidget(self._make_scrolled(), 1)
        whole.addWidget(line())
        whole.addLayout(self._make_findings())
        whole.addLayout(self._make_buttons())

        session.person_selected.connect(self.refresh)
        session.people_changed.connect(lambda _entry: self.refresh())
        session.fit_changed.connect(self.refresh)
        session.point_selected.connect(self._on_point_selected)
        self.refresh()

    # ---------------------------------------------------------------------------------------------------- building

    def _make_head(self) -> QVBoxLayout:
        """Make who is shown and what is known of the whole person."""
        self._title = label("No person", "title")
        self._review = label("", "badge")
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self._title)
        head.addSpacing(4)
        head.addWidget(self._review, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addStretch(1)
        for action_id in ("previous_person", "next_person", "new_person"):
            head.addWidget(tool_button(self._actions[action_id], 16, 24))
        self._facts = ElidedLabel(least=1)
        self._facts.setProperty("role", "small")
        top = QVBoxLayout()
        top.setContentsMargins(16, 0, 8, 0)
        top.setSpacing(3)
        top.addLayout(head)
        top.addWidget(self._facts)
        return top

    def _make_limbs(self) -> None:
        """Make the diagram with the choices of levels beside it."""
        self.diagram = LimbDiagram(self._theme)
        self.diagram.limb_chosen.connect(self._show_level_menu)
        self.levels = {limb: self._level_choice(limb) for limb in _LIMBS}
        choices = QVBoxLayout()
        choices.setSpacing(9)
        for choice in self.levels.values():
            choices.addWidget(choice)
        choices.addStretch(1)
        self.limbs = QWidget()
        limbs = QHBoxLayout(self.limbs)
        limbs.setContentsMargins(0, 0, 0, 0)
        limbs.setSpacing(10)
        limbs.addWidget(self.diagram, 0, Qt.AlignmentFlag.AlignTop)
        limbs.addLayout(choices, 1)

    def _make_scrolled(self) -> QScrollArea:
        """Make what scrolls: limbs, their record, and the points."""
        self.record = LimbRecord(self._session)
        self._points_count = label("", "caption")
        self.tree = self._point_tree()
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(16, 0, 16, 8)
        column.setSpacing(8)
        column.addWidget(section("Limbs"))
        column.addWidget(self.limbs)
        column.addWidget(self.record)
        column.addWidget(line())
        column.addWidget(section("Points", self._points_count))
        column.addWidget(self.tree)
        self._no_points = label("Points are listed once there is a person.", "small")
        self._no_points.setWordWrap(True)
        column.addWidget(self._no_points)
        column.addStretch(1)
        self._column = column
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(body)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.viewport().setAutoFillBackground(False)
        body.setAutoFillBackground(False)
        return scroll

    def _make_findings(self) -> QVBoxLayout:
        """Make the list of what contradicts itself, below the part that scrolls: it is seen as it comes."""
        self._findings_count = label("0", "badge")
        self._findings = FindingsList()
        self._findings_area = QScrollArea()
        self._findings_area.setWidgetResizable(True)
        self._findings_area.setWidget(self._findings)
        self._findings_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._findings_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._findings_area.viewport().setAutoFillBackground(False)
        self._findings.setAutoFillBackground(False)
        findings = QVBoxLayout()
        findings.setContentsMargins(16, 2, 16, 0)
        findings.setSpacing(6)
        findings.addWidget(section("Findings", self._findings_count))
        findings.addWidget(self._findings_area)
        return findings

    def _make_buttons(self) -> QHBoxLayout:
        buttons = QHBoxLayout()
        buttons.setContentsMargins(16, 4, 16, 12)
        buttons.setSpacing(8)
        self.fit_button = action_button(self._actions["fit_body"])
        self.ready_button = action_button(self._actions["mark_ready"], "primary")
        self.ready_button.setIcon(icons.icon("ph.check", "#FFFFFF", disabled=self._theme.text3))
        buttons.addWidget(self.fit_button, 1)
        buttons.addWidget(self.ready_button, 1)
        return buttons

    def _level_choice(self, limb: Limb) -> Choice:
        choice = Choice(limb_name(limb), self._theme)
        for level in levels_of(limb):
            choice.add_choice(level_words(level), level, short=level.label)
        choice.setAccessibleName(f"{limb_name(limb)} level")
        choice.setToolTip(f"{limb_name(limb)}: where it ends (ISO 8549-4)")
        choice.activated.connect(lambda index: self._set_level(limb, Level(choice.itemData(index))))
        return choice

    def _point_tree(self) -> PointTree:
        tree = PointTree()
        tree.setColumnCount(2)
        tree.setHeaderHidden(True)
        tree.setRootIsDecorated(True)
        tree.setIndentation(14)
        tree.setIconSize(QSize(20, 20))
        tree.setUniformRowHeights(True)
        tree.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        tree.setAccessibleName("Points")
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.DefaultContextMenu)
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self._groups: dict[str, QTreeWidgetItem] = {}
        self._rows: dict[int, QTreeWidgetItem] = {}
        self._group_of: dict[int, str] = {}
        for group, words in _GROUPS.items():
            parent = QTreeWidgetItem(tree, [group, ""])
            parent.setFlags(Qt.ItemFlag.ItemIsEnabled)
            parent.setSizeHint(0, QSize(0, 24))
            parent.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._groups[group] = parent
            for definition in sorted(LDPOSE, key=_list_order):
                if any(word in definition.name for word in words):
                    row = QTreeWidgetItem(parent, [definition.label, ""])
                    row.setData(0, Qt.ItemDataRole.UserRole, definition.index)
                    row.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                    row.setSizeHint(0, QSize(0, 24))
                    self._rows[definition.index] = row
                    self._group_of[definition.index] = group
        tree.expandItem(self._groups["Arms"])
        tree.expandItem(self._groups["Legs"])
        tree.itemSelectionChanged.connect(self._on_row_selected)
        tree.itemExpanded.connect(lambda _item: self._fit_tree_height())
        tree.itemCollapsed.connect(lambda _item: self._fit_tree_height())
        return tree

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._icons.clear()
        self.diagram.set_theme(theme)
        for choice in self.levels.values():
            choice.theme = theme
        self.fit_button.setIcon(self._actions["fit_body"].icon())
        self.refresh()

    # ----------------------------------------------------------------------------------------------------- showing

    def add_panel(self, panel: QWidget) -> None:
        """Put a plugin's panel below the findings."""
        self._column.insertWidget(self._column.count() - 1, panel)

    def set_asked(self, index: int | None) -> None:
        """Say which point the guide asks for: its row reads 'Next'."""
        self._asked = index
        if not self._session.is_unsettled:
            self._show_points(self._session.person)

    def refresh(self) -> None:
        if self._session.is_unsettled:
            return  # the fit's signal comes last
        person = self._session.person
        people = self._session.people
        self.setEnabled(self._session.studio.is_open)
        if person is None:
            self._title.setText("No person")
            self._review.hide()
            begin = f"Draw a box, or {self._actions.how('guided')} and click"
            self._facts.setText(begin if self._session.photo else "")
        else:
            number = [p.id for p in people].index(person.id) + 1
            self._title.setText(names.person_name(number) + (f" / {len(people)}" if len(people) > 1 else ""))
            words, role = _REVIEW_BADGES[self._session.review_of(person)]
            self._review.setText(words)
            set_role(self._review, role)
            self._review.show()
            self._facts.setText(self._fact_line(person))
        self._show_limbs(person)
        self._show_points(person)
        self._show_findings(person)

    def _fact_line(self, person: Person) -> str:
        parts = []
        if person.box is not None:
            parts.append(f"Box {person.box.height:.0f} px high")
        if person.posture.value != "unknown":
            parts.append(person.posture.value.capitalize())
        fit = self._session.fit
        if fit is not None:
            parts.append("Fit before your edit" if self._session.studio.is_stale(fit) else "Fitted")
        return "  ·  ".join(parts) or "Not fitted yet"

    def _show_limbs(self, person: Person | None) -> None:
        limbs = person.limbs if person is not None else intact_limbs()
        wrong = (
            frozenset(c.limb for c in person_contradictions(person)) if person is not None else frozenset()
        )
        self.diagram.show_limbs(limbs, wrong)
        self._show_proposals(person)
        for limb, choice in self.levels.items():
            choice.setEnabled(person is not None)
            level = limbs[limb].level
            choice.setCurrentIndex(choice.findData(level))
            choice.set_marked(level is not Level.INTACT)
        self.diagram.setEnabled(person is not None)
        self.record.show_person(person)

    def set_unsure_below(self, share: float) -> None:
        """Take proposals for unsure where their two likeliest answers are less apart than this."""
        self._unsure_below = share
        self.refresh()

    def _proposals(self, person: Person) -> tuple[LimbProposals | None, bool]:
        """Return what AJAHR proposes of the limbs, and whether that was before the last edit of what it reads."""
        kept = kept_proposals(self._session.studio.project, person.id)
        if kept is None:
            return None, False
        found = LimbProposals.of(kept.probabilities, self._unsure_below, calibrated=kept.calibrated)
        return found, kept.of != what_is_read(person)

    def _show_proposals(self, person: Person | None) -> None:
        found, outdated = (None, False) if person is None else self._proposals(person)
        self.diagram.show_proposals(found, outdated=outdated)

    def _show_points(self, person: Person | None) -> None:
        settled = dict.fromkeys(_GROUPS, 0)
        total = dict.fromkeys(_GROUPS, 0)
        order = guided.placement_order(person.limbs) if person is not None else ()
        impossible = impossible_keypoints(person.limbs) if person is not None else frozenset()
        for index, row in self._rows.items():
            group = self._group_of[index]
            state = person.keypoints.points[index].state if person is not None else KeypointState.UNLABELLED
            shown = not LDPOSE[index].is_residual_end or index in order or state.constrains_fit
            row.setHidden(not shown)
            if index in order and person is not None:
                total[group] += 1
                settled[group] += guided.is_settled(person.keypoints, index)
            word, colour = STATE_WORDS[state], self._theme.text2
            if index == self._asked:
                word, colour = "Next", self._theme.accent
            elif state is KeypointState.UNSURE:
                colour = self._theme.warn
            elif state is KeypointState.UNLABELLED:
                colour = self._theme.text3
            row.setText(1, word)
            row.setForeground(1, QBrush(QColor(colour)))
            row.setForeground(
                0, QBrush(QColor(self._theme.text3 if index in impossible else self._theme.text))
            )
            row.setIcon(0, self._icon_of(glyph_of(LDPOSE[index], state)))
            row.setBackground(0, QBrush(QColor(self._theme.accent_bg)) if index == self._asked else QBrush())
            row.setBackground(1, QBrush(QColor(self._theme.accent_bg)) if index == self._asked else QBrush())
            row.setData(
                0, Qt.ItemDataRole.AccessibleTextRole, f"{LDPOSE[index].label}, {STATE_WORDS[state].lower()}"
            )
        for group, item in self._groups.items():
            item.setText(1, f"{settled[group]} of {total[group]}")
            item.setForeground(0, QBrush(QColor(self._theme.text2)))
            item.setForeground(1, QBrush(QColor(self._theme.text2)))
        self._points_count.setText(f"{sum(settled.values())} of {sum(total.values())}" if person else "")
        self.tree.setVisible(person is not None)
        self._no_points.setVisible(person is None)
        if self._asked is not None:
            self._groups[self._group_of[self._asked]].setExpanded(True)
        self._fit_tree_height()

    def _icon_of(self, glyph: Glyph) -> QIcon:
        if glyph not in self._icons:
            self._icons[glyph] = glyph_icon(glyph)
        return self._icons[glyph]

    def _fit_tree_height(self) -> None:
        """Let the panel scroll, not the tree in it."""
        rows = len(self._groups)
        for index, row in self._rows.items():
            rows += self._groups[self._group_of[index]].isExpanded() and not row.isHidden()
        self.tree.setFixedHeight(24 * rows + 2)

    def _show_findings(self, person: Person | None) -> None:
        found = self._found(person) if person is not None else []
        self._findings.show_all(found)
        self._findings_count.setText(str(len(found)) if found else "Nothing to mend")
        set_role(self._findings_count, "badge-warn" if found else "caption")
        self._findings_area.setVisible(bool(found))
        self._fit_findings()

    def _fit_findings(self) -> None:
        """Give the findings the height that they need, but no more than leaves room for the points."""
        width = self.width() - 32
        layout = self._findings.layout()
        assert layout is not None
        layout.activate()
        wraps = layout.hasHeightForWidth()
        needed = layout.totalHeightForWidth(width) if wraps else layout.sizeHint().height()
        self._findings_area.setFixedHeight(min(needed, max(48, self.height() // 6)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_findings()

    def _found(self, person: Person) -> list[Finding]:
        """Return what contradicts itself, what the points speak for, and what is left to decide."""
        wrong = [
            Finding(
                "ph.warning", self._theme.warn, contradiction.message, "Mend",
                lambda c=contradiction: self._session.do(edits.mend(person, [c])),
            )
            for contradiction in person_contradictions(person)
        ]  # fmt: skip
        proposed = edits.proposed_levels(person)
        spoken_for = {limb for limb, _ in proposed}
        proposals = [
            Finding(
                "ph.lightbulb", self._theme.accent,
                f"{limb_name(limb)}: the points speak for {level.label.lower()}.", "Set it",
                lambda li=limb, lv=level: self._set_level(li, lv),
            )
            for limb, level in proposed
        ]  # fmt: skip
        predicted = [
            Finding(
                "ph.sparkle", self._theme.accent,
                f"{limb_name(one.limb)}: AJAHR proposes that it {one.words} ({100 * one.probability:.0f} %).",
                "Set level",
                lambda li=one.limb: self._show_level_menu(li),
            )
            for one in self._predicted(person) if one.limb not in spoken_for
        ]  # fmt: skip
        unsure = [
            Finding(
                "ph.question", self._theme.text2, f"{LDPOSE[index].label} is unsure. Decide before marking ready.",
                "Show", lambda i=index: self._session.select_point(i),
            )
            for index, state in enumerate(person.keypoints.states)
            if state is KeypointState.UNSURE
        ]  # fmt: skip
        doubtful = [
            Finding(
                "ph.question", self._theme.text2, f"{limb_name(limb)} is unsure. It is fitted but never cut.",
                "Set level", lambda li=limb: self._show_level_menu(li),
            )
            for limb, state in person.limbs.items()
            if state.level is Level.UNSURE and limb not in spoken_for
        ]  # fmt: skip
        return [*wrong, *proposals, *predicted, *unsure, *doubtful]

    def _predicted(self, person: Person) -> list[LimbProposal]:
        """Return the proposals that speak of a loss where nobody has recorded one: neither unsure nor outdated."""
        found, outdated = self._proposals(person)
        open_levels = (Level.INTACT, Level.UNSURE)
        return [
            proposal
            for proposal in (found if found is not None and not outdated else ())
            if person.limbs[proposal.limb].level in open_levels and not (proposal.unsure or proposal.intact)
        ]

    # ------------------------------------------------------------------------------------------------------ acting

    def _set_level(self, limb: Limb, level: Level) -> None:
        person = self._session.person
        if person is not None and person.limbs[limb].level is not level:
            self._session.do(edits.set_limb_level(person, limb, level))
        self.refresh()

    def _show_level_menu(self, limb: Limb) -> None:
        person = self._session.person
        if person is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        title = menu.addAction(limb_name(limb))
        title.setEnabled(False)
        found, _ = self._proposals(person)
        if found is not None:
            told = found[limb]
            note = menu.addAction(f"AJAHR: {told.words}, {100 * told.probability:.0f} %")
            note.setEnabled(False)
        menu.addSeparator()
        for level in levels_of(limb):
            action = menu.addAction(level_words(level))
            action.setCheckable(True)
            action.setChecked(person.limbs[limb].level is level)
            action.triggered.connect(lambda _=False, lv=level: self._set_level(limb, lv))
        menu.popup(self.diagram.mapToGlobal(QPoint(self.diagram.width() // 2, self.diagram.height() // 2)))

    def _on_row_selected(self) -> None:
        items = self.tree.selectedItems()
        index = items[0].data(0, Qt.ItemDataRole.UserRole) if items else None
        if index is not None:
            self._session.select_point(index)

    def _on_point_selected(self, index: int) -> None:
        self.tree.blockSignals(True)
        self.tree.clearSelection()
        if index in self._rows:
            row = self._rows[index]
            self._groups[self._group_of[index]].setExpanded(True)
            self.tree.setCurrentItem(row)
        self.tree.blockSignals(False)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        row = self.tree.itemAt(self.tree.viewport().mapFrom(self, event.pos()))
        index = row.data(0, Qt.ItemDataRole.UserRole) if row is not None else None
        if index is None:
            return
        self._session.select_point(index)
        menu = state_menu(self._actions, self)
        menu.popup(event.globalPos())


def _list_order(definition: object) -> tuple[int, int]:
    """Sort so that each joint is followed by the residual end that may replace it."""
    from limbstudio.domain.anatomy import KeypointDefinition

    assert isinstance(definition, KeypointDefinition)
    after = {17: 7.5, 18: 8.5, 19: 8.6, 20: 8.7, 21: 14.5, 22: 14.6, 23: 14.7, 24: 14.8}
    place = after.get(definition.index, float(definition.index))
    return (int(place * 10), definition.index)


def state_menu(actions: Actions, parent: QWidget) -> QMenu:
    """Return a menu of the seven states and what else can be done with a point."""
    menu = QMenu(parent)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    for state in KeypointState:
        menu.addAction(actions[f"state_{state.value}"])
    menu.addSeparator()
    menu.addAction(actions["clear_point"])
    menu.addAction(actions["swap_limb"])
    return menu


def residual_limbs(person: Person) -> tuple[Limb, ...]:
    """Return the limbs of a person that end in a segment, in the panel's order."""
    return tuple(limb for limb in _LIMBS if level_rule(limb, person.limbs[limb].level).segment is not None)
