"""The scene items of a person: which points, bones and names are shown and where."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QTransform
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from limbstudio.domain.anatomy import LDPOSE, LDPOSE_EDGES, KeypointState
from limbstudio.domain.photo import Person
from limbstudio.ui import theme as tokens
from limbstudio.ui.canvas.items import BoneItem, LabelItem, PointItem
from limbstudio.ui.canvas.still import StillMarks
from limbstudio.ui.glyphs import STATE_WORDS, frame_of, glyph_of, side_colour
from limbstudio.ui.marks import Marks, marks
from limbstudio.ui.words import language, tr

_DRAWN = (
    KeypointState.VISIBLE,
    KeypointState.OCCLUDED,
    KeypointState.UNSURE,
    KeypointState.PROSTHESIS,
    KeypointState.OUT_OF_FRAME,
)
_ALWAYS_NAMED = (KeypointState.UNSURE, KeypointState.PROSTHESIS)
_SHIFTS_PX = (0.0, 21.0, -21.0, 42.0, -42.0, 63.0, -63.0)  # where a name may stand, from beside its point
_LOUPE_PX = 132


def shown_points(person: Person | None) -> dict[int, tuple[float, float]]:
    """Return the points that are drawn and can be grabbed: LDPose index -> pixels of the photo."""
    if person is None:
        return {}
    return {
        i: (p.x, p.y)
        for i, p in enumerate(person.keypoints.points)
        if p.x is not None and p.y is not None and p.state in _DRAWN
    }


def short_name(index: int) -> str:
    """Return a point's name as the label says it: 'R below-knee end', 'Nose'."""
    definition = LDPOSE[index]
    if definition.side is None:
        return definition.label
    return f"{definition.side.value[0].upper()} {definition.label.split(' ', 1)[1]}"


@dataclass(frozen=True)
class _Shown:
    """What the items of a person were made from, but for where a drag has points."""

    person: Person
    selected: frozenset[int]
    named: frozenset[int]
    unit: float
    turn: float
    all_names: bool
    marks: Marks
    language: str

    def __eq__(self, other: object) -> bool:
        # The same person, not an equal one: records are never changed, and comparing all their points takes long.
        return isinstance(other, _Shown) and other.person is self.person and other._rest == self._rest

    @property
    def _rest(self) -> tuple[object, ...]:
        return (self.selected, self.named, self.unit, self.turn, self.all_names, self.marks, self.language)


class PersonItems:
    """The scene items of one person."""

    def __init__(self, scene: QGraphicsScene, opacity: float) -> None:
        self._scene = scene
        self.points: dict[int, PointItem] = {}
        self.bones: dict[tuple[int, int], BoneItem] = {}
        self.labels: dict[int, LabelItem] = {}
        self._opacity = opacity
        self._shown: _Shown | None = None
        self._moved: frozenset[int] = frozenset()  # which points stand where a drag has them
        self._still = StillMarks(scene)

    def show(
        self,
        person: Person,
        moved: Mapping[int, tuple[float, float]],
        *,
        selected: frozenset[int] = frozenset(),
        named: frozenset[int] = frozenset(),
        unit: float,
        turn: float = 0.0,
        all_names: bool = False,
    ) -> None:
        """Show a person. moved: where a drag has points; unit: photo px per screen px; turn: of the view, degrees."""
        shown = _Shown(person, selected, named, unit, turn, all_names, marks(), language())
        if shown == self._shown and self.points.keys() >= moved.keys():
            self._move(person, moved)
            return
        self._shown, self._moved = shown, frozenset(moved)
        self._still.let_go()
        positions = {**shown_points(person), **moved}
        states = person.keypoints.states
        for index in set(self.points) - set(positions):
            self._scene.removeItem(self.points.pop(index))
        for index, (x, y) in positions.items():
            item = self.points.get(index)
            if item is None:
                item = self.points[index] = PointItem(index)
                item.setOpacity(self._opacity)
                self._scene.addItem(item)
            glyph = glyph_of(LDPOSE[index], states[index], selected=index in selected)
            item.set_glyph(replace(glyph, diameter=glyph.diameter * marks().scale))
            item.setPos(x, y)
        self._show_bones(positions, unit)
        self._show_labels(positions, states, named=named, turn=turn, all_names=all_names)
        self._part_labels(unit, turn)

    def _move(self, person: Person, moved: Mapping[int, tuple[float, float]]) -> None:
        """Put points where a drag has them now, with their bones and names; everything else stays as it is."""
        touched = self._moved | moved.keys()
        self._moved = frozenset(moved)
        if not touched:
            return
        points = person.keypoints.points

        def place(index: int) -> QPointF:
            if index in moved:
                return QPointF(*moved[index])
            return QPointF(points[index].x or 0.0, points[index].y or 0.0)

        for index in touched:
            self.points[index].setPos(place(index))
            if index in self.labels:
                self.labels[index].setPos(place(index))
        for (start, end), bone in self.bones.items():
            if start in touched or end in touched:
                bone.set_ends(place(start), place(end))
        if moved:
            self._still.hold(self._apart_from(moved), self._moved)
        else:
            self._still.let_go()

    def _apart_from(self, moved: Mapping[int, object]) -> list[QGraphicsItem]:
        """Return the marks that neither move nor stand at the end of a bone that does."""
        joined = {index for edge in self.bones if moved.keys() & set(edge) for index in edge} | moved.keys()
        return [
            *(bone for edge, bone in self.bones.items() if not moved.keys() & set(edge)),
            *(label for index, label in self.labels.items() if index not in joined),
            *(point for index, point in self.points.items() if index not in joined),
        ]

    def _show_bones(self, positions: Mapping[int, tuple[float, float]], unit: float) -> None:
        edges = [edge for edge in LDPOSE_EDGES if edge[0] in positions and edge[1] in positions]
        for edge in set(self.bones) - set(edges):
            self._scene.removeItem(self.bones.pop(edge))
        for edge in edges:
            bone = self.bones.get(edge)
            if bone is None:
                bone = self.bones[edge] = BoneItem(*edge)
                bone.set_unit(unit)
                bone.setOpacity(self._opacity)
                self._scene.addItem(bone)
            bone.set_ends(QPointF(*positions[edge[0]]), QPointF(*positions[edge[1]]))

    def _show_labels(
        self,
        positions: Mapping[int, tuple[float, float]],
        states: Sequence[KeypointState],
        *,
        named: frozenset[int],
        turn: float,
        all_names: bool,
    ) -> None:
        wanted = {
            i
            for i in positions
            if all_names or i in named or states[i] in _ALWAYS_NAMED or LDPOSE[i].is_residual_end
        }
        if self._opacity < 1.0:
            wanted = set()
        for index in set(self.labels) - wanted:
            self._scene.removeItem(self.labels.pop(index))
        cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        across = {i: x * cos - y * sin for i, (x, y) in positions.items()}  # to the right on the screen
        middle = sum(across.values()) / max(len(across), 1)
        for index in wanted:
            label = self.labels.get(index)
            if label is None:
                label = self.labels[index] = LabelItem()
                self._scene.addItem(label)
            state = states[index]
            colour = side_colour(frame_of(LDPOSE[index]))
            if LDPOSE[index].is_residual_end:
                colour = QColor(tokens.PHOTO_RESIDUAL)
            if state is KeypointState.UNSURE:
                colour = QColor(tokens.PHOTO_UNSURE)
            word = "" if state is KeypointState.VISIBLE else tr(STATE_WORDS[state])
            x, y = positions[index]
            word = word[:1].lower() + word[1:]
            label.set_text(short_name(index), word, colour, to_the_left=across[index] < middle)
            label.setPos(x, y)

    def _part_labels(self, unit: float, turn: float) -> None:
        """Move names up or down that would cover each other. unit, turn: as of `show`."""
        onto_screen = QTransform().scale(1 / unit, 1 / unit).rotate(turn)
        at = {index: onto_screen.map(label.pos()) for index, label in self.labels.items()}
        taken: list[QRectF] = []
        for index in sorted(at, key=lambda i: at[i].y()):
            label = self.labels[index]
            box = label.unshifted.translated(at[index])
            free = (by for by in _SHIFTS_PX if not any(box.translated(0, by).intersects(t) for t in taken))
            by = next(free, 0.0)
            label.shift(by)
            taken.append(box.translated(0, by))

    def set_unit(self, unit: float) -> None:
        self._still.let_go()
        for bone in self.bones.values():
            bone.set_unit(unit)

    def remove(self) -> None:
        self._still.let_go()
        for item in (*self.points.values(), *self.bones.values(), *self.labels.values()):
            self._scene.removeItem(item)
        self.points, self.bones, self.labels = {}, {}, {}
        self._shown, self._moved = None, frozenset()
