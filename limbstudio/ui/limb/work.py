"""Which residual limb is in work: its corrected mesh, made in a thread, the ring about it, and what is asked of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from limbstudio.domain.anatomy import Limb
from limbstudio.domain.body import LimbFit, ScaleSource
from limbstudio.domain.correcting import (
    all_corrections,
    clear_corrections,
    correct,
    corrections_of,
    describe,
    drop_operation,
    move_label_too,
)
from limbstudio.domain.corrections import BrushStroke, Corrections, CutPlane, EndAlongLimb, Operation
from limbstudio.domain.edits import Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import KeptFit
from limbstudio.domain.photo import Person
from limbstudio.ui.limb.previews import Previews
from limbstudio.ui.limb.replaying import Opened, count_facts, opened, replayed
from limbstudio.ui.limb.turns import Turns
from limbstudio.ui.session import Session

if (
    TYPE_CHECKING
):  # they bring scipy and the reconstruction, and are imported in the thread that makes the first mesh
    from limbstudio.corrections.brushes import BrushSession
    from limbstudio.corrections.limb_surface import LimbSurface
    from limbstudio.corrections.replay import Corrected, Outcome
    from limbstudio.corrections.validity import Fold, ValidityFacts
    from limbstudio.measures.limb_sections import GirthDoubt, GirthRow, LimbSection

_FIRST_LEVEL_M = 0.1
_NEAREST_LEVEL_M = 0.002


@dataclass(frozen=True)
class _Asked:
    """What a mesh was made from; equal ones need not be made again."""

    fit: str
    limb: Limb
    corrections: tuple[Corrections, ...]


class LimbWork(QObject):
    """What the perspective's views, tools and panel share.

    rows: the girths of `surface` every 25 mm. turns: who follows the limb while it moves. previews: of corrections that
    are not applied yet.

    Signals:
        changed(): another limb, mesh, or nothing to show.
        begun(): a mesh is being made.
        ring_moved(): the ring stands elsewhere.
        facts_changed(): what the validity strip shows.
        refused(object): an operation was not applied; a `Fold` where one is known, else None.
    """

    changed = Signal()
    begun = Signal()
    ring_moved = Signal()
    facts_changed = Signal()
    refused = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.is_wanted = False  # only while the perspective is shown
        self.limb: Limb | None = None
        self.corrected: Corrected | None = None
        self.surface: LimbSurface | None = None
        self.moving: LimbSurface | None = None  # under a stroke
        self.rows: tuple[GirthRow, ...] = ()
        self.facts: ValidityFacts | None = None
        self.fold: Fold | None = None
        self.problem = ""
        self.is_busy = False
        self._asked: _Asked | None = None
        self._made: _Asked | None = None
        self._known_crossings: int | None = None
        self._level_m = _FIRST_LEVEL_M
        self._turn = 0
        self._section: tuple[LimbSurface, float, LimbSection] | None = None
        self._before: tuple[object, float, LimbSection] | None = None
        self.turns = Turns(self)
        self.previews = Previews(self)
        self._facts_due = QTimer(self, interval=150, singleShot=True)
        self._facts_due.timeout.connect(self._ask_facts)
        self._stroke: BrushSession | None = None
        self._stroke_moved = False
        session.fit_changed.connect(self.refresh)
        session.person_selected.connect(self.refresh)

    # ------------------------------------------------------------------------------------------------ what is there

    @property
    def kept(self) -> KeptFit | None:
        return self.session.fit

    @property
    def person(self) -> Person | None:
        return self.session.person

    @property
    def has_mask(self) -> bool:
        person = self.person
        return person is not None and bool(person.mask_file or person.polygons)

    @property
    def limb_fit(self) -> LimbFit | None:
        kept = self.kept
        found = kept.fit.limbs if kept is not None else ()
        return next((item for item in found if item.limb is self.limb), None)

    @property
    def scale(self) -> ScaleSource:
        kept = self.kept
        return kept.fit.scale if kept is not None else ScaleSource.PRIOR

    @property
    def corrections(self) -> Corrections | None:
        """Return the record of what was corrected on this limb."""
        person = self.person
        if person is None or self.limb is None:
            return None
        return corrections_of(self.session.studio.project.records, person, self.limb)

    @property
    def operations(self) -> tuple[Operation, ...]:
        record = self.corrections
        return record.operations if record is not None else ()

    @property
    def outcomes(self) -> "tuple[Outcome, ...]":
        """Return what became of each operation; empty while that is not known."""
        if self.corrected is None or self.limb is None or self._made != self._asked:
            return ()
        return self.corrected.outcomes.get(self.limb, ())

    @property
    def is_edited(self) -> bool:
        return bool(self.operations)

    @property
    def is_stale(self) -> bool:
        kept = self.kept
        return kept is not None and self.session.studio.is_stale(kept)

    @property
    def doubt(self) -> "GirthDoubt | None":
        """Return what the fit says of girths' uncertainty; None for a limb that a person has edited, or edits now."""
        from limbstudio.measures.limb_sections import GirthDoubt

        limb = self.limb_fit
        edited = self.is_edited or self.moving is not None
        return GirthDoubt.of(limb) if limb is not None and not edited else None

    @property
    def is_current(self) -> bool:
        """Tell whether the mesh is what the records say now."""
        kept, person = self.kept, self.person
        if self._made is None or kept is None or person is None or self.limb is None:
            return False
        records = self.session.studio.project.records
        return not self.is_busy and self._made == _Asked(
            kept.id, self.limb, all_corrections(records, person.id)
        )

    @property
    def can_correct(self) -> bool:
        return self.surface is not None and self.session.can_edit and not self.is_busy

    @property
    def is_stroked(self) -> bool:
        """Tell whether a stroke goes on."""
        return self._stroke is not None

    @property
    def present(self) -> "LimbSurface | None":
        """Return the limb as it looks at this moment, a stroke that goes on included."""
        if self._stroke is not None and self._stroke_moved:
            self._stroke_moved = False
            self.moving = self._stroke.surface
        return self.moving if self.moving is not None else self.surface

    # ------------------------------------------------------------------------------------------------------ the mesh

    def choose(self, limb: Limb) -> None:
        """Take up another limb of the person."""
        if limb is not self.limb:
            self.limb = limb
            self.refresh()

    def next_limb(self) -> None:
        kept = self.kept
        limbs = [item.limb for item in kept.fit.limbs] if kept is not None else []
        if limbs:
            at = next((n for n, limb in enumerate(limbs) if limb is self.limb), -1)
            self.choose(limbs[(at + 1) % len(limbs)])

    def refresh(self) -> None:
        """Make the mesh anew where what it is made from has changed."""
        if not self.is_wanted:
            return
        kept, person = self.kept, self.person
        limbs = [item.limb for item in kept.fit.limbs] if kept is not None else []
        if kept is None or person is None or not limbs:
            self._drop("")
            return
        if self.limb not in limbs:
            self.limb = limbs[0]
        assert self.limb is not None
        records = self.session.studio.project.records
        asked = _Asked(kept.id, self.limb, all_corrections(records, person.id))
        if asked == self._asked:
            self.changed.emit()  # its staleness, or its person's name, may be another
            return
        other = self._asked is None or (asked.fit, asked.limb) != (self._asked.fit, self._asked.limb)
        self._asked = asked
        if other:
            self._forget()
            self._known_crossings = None
        limb, fitted = self.limb, None if self.is_edited else self.limb_fit
        self._work(
            lambda: opened(replayed(person, kept, asked.corrections, limb), limb, fitted),
            lambda made: self._take(asked, made),
            self._fail,
        )
        self.changed.emit()

    def _drop(self, problem: str) -> None:
        self._turn += 1
        self.is_busy = False
        self._asked = self._made = None
        self._forget()
        self.problem = problem
        self.changed.emit()
        self.facts_changed.emit()

    def _forget(self) -> None:
        self.corrected = self.surface = self.moving = self.facts = None
        self.rows = ()

    def _work(
        self, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[KnownError], None]
    ) -> None:
        """Do `work` in a thread; only the latest one's answer counts."""
        self._turn += 1
        turn = self._turn
        self.is_busy = True
        self.begun.emit()

        def finished(result: Any) -> None:  # noqa: ANN401 - whatever `work` returns
            if turn == self._turn:
                self.is_busy = False
                done(result)

        def broke(error: BaseException) -> None:
            if turn == self._turn:
                self.is_busy = False
                if not isinstance(error, KnownError):
                    raise error
                failed(error)

        self.session.bridge.load(work, finished, broke)

    def _take(self, asked: _Asked, made: Opened) -> None:
        self._made, self.corrected, self.problem = asked, made.corrected, ""
        self.surface, self.moving, self.fold = made.corrected.limbs.get(asked.limb), None, None
        self.rows = made.rows
        self.facts = None  # of another surface
        if self.surface is None:
            self.problem = "This limb was not cut by the fit. Give it an end (E) to correct it."
        self.changed.emit()
        self.ring_moved.emit()
        self._facts_due.start()

    def _fail(self, error: KnownError) -> None:
        self._made = self._asked
        self._forget()
        self.problem = f"{error.message} {error.hint}".strip()
        self.changed.emit()

    # ---------------------------------------------------------------------------------------------------- the changes

    def propose(self, operation: Operation) -> bool:
        """Try one operation; it becomes an edit where it can be done, else the reason is said."""
        kept, person, record, limb = self.kept, self.person, self.corrections, self.limb
        if kept is None or person is None or record is None or limb is None or not self.may_edit():
            return False
        self.previews.drop()  # what was shown on the way is done with
        edit = correct(record, operation)
        tried = self._with(person, edit)
        asked = _Asked(kept.id, limb, tried)

        def settle(made: Opened) -> None:
            outcome = made.corrected.outcomes[limb][-1]
            if not outcome.ok:
                self._refuse(f"{describe(operation)} was not applied: {outcome.reason}", "", None)
                return
            self._adopt(asked, made)
            self._known_crossings = None
            self.session.do(edit)

        self._work(
            lambda: opened(replayed(person, kept, tried, limb), limb, None), settle, self._refuse_known
        )
        return True

    def _with(self, person: Person, edit: Edit) -> tuple[Corrections, ...]:
        """Return the corrections of all of a person's limbs as an edit of one limb's would leave them."""
        after = edit.changes[0].after
        assert isinstance(after, Corrections)
        records = self.session.studio.project.records
        others = tuple(c for c in all_corrections(records, person.id) if c.limb is not after.limb)
        return tuple(sorted((*others, after), key=lambda c: list(Limb).index(c.limb)))

    def end_stroke(self, stroke: BrushStroke, after: "LimbSurface", moved: np.ndarray) -> None:
        """Keep a stroke that was just made; one that folds the surface is refused, and where is shown."""
        before, corrected, record = self.surface, self.corrected, self.corrections
        if before is None or corrected is None or record is None or not self.may_edit():
            self.drop_stroke()
            return
        scale, limb = self.scale, before.limb
        edit = correct(record, stroke)
        kept, person = self.kept, self.person
        assert kept is not None
        assert person is not None
        tried = self._with(person, edit)

        from limbstudio.corrections.replay import Outcome
        from limbstudio.corrections.validity import find_fold

        def check() -> "tuple[Fold | None, Opened | None]":
            fold = find_fold(before, after.points, moved, scale=scale)
            if fold is not None:
                return fold, None
            made = corrected.with_surface(after.warm())
            done = (*made.outcomes.get(limb, ()), Outcome(True))
            return None, opened(replace(made, outcomes={**made.outcomes, limb: done}), limb, None)

        def settle(answer: "tuple[Fold | None, Opened | None]") -> None:
            fold, made = answer
            if fold is not None or made is None:
                where = fold.where if fold is not None else ""
                message = f"The stroke would fold the surface {where} and was not applied."
                self._refuse(message, "Try a smaller brush.", fold)
                return
            self._adopt(_Asked(kept.id, limb, tried), made)
            self.session.do(edit)

        self._end_stroke()
        self.moving = after
        self._work(check, settle, self._refuse_known)

    def drop_stroke(self) -> None:
        """Show the limb as it was before the stroke."""
        self._end_stroke()
        if self.moving is not None:
            self.moving = None
            self.changed.emit()

    def _end_stroke(self) -> None:
        self._stroke = None
        self.turns.stop()

    def _adopt(self, asked: _Asked, made: Opened) -> None:
        """Take a mesh whose edit is about to be done: it need not be made again."""
        self._asked = asked
        self._take(asked, made)

    def _refuse(self, message: str, hint: str, fold: "Fold | None") -> None:
        self.moving, self.fold = None, fold
        self.session.said.emit(message, hint, False)
        self.changed.emit()
        self.refused.emit(fold)

    def _refuse_known(self, error: KnownError) -> None:
        self._refuse(error.message, error.hint, None)

    def may_edit(self) -> bool:
        """Tell whether a correction can be made now; why not is said."""
        if self.is_busy:
            self.session.said.emit(
                "The last correction is still being made.", "Try again in a moment.", False
            )
            return False
        if not self.session.can_edit:
            reason = self.session.studio.read_only_reason or "No project is open."
            self.session.said.emit("Nothing was corrected.", reason, False)
            return False
        return True

    def drop(self, index: int) -> None:
        """Take one operation back, wherever it stands in the list."""
        record = self.corrections
        if record is not None and 0 <= index < len(record.operations):
            self._known_crossings = None
            self.session.do(drop_operation(record, index))

    def clear(self) -> None:
        """Take all corrections of this limb back."""
        record = self.corrections
        if record is not None and record.operations:
            self._known_crossings = None
            self.session.do(clear_corrections(record))

    def reapply(self) -> None:
        """Make the mesh again from the list."""
        self._asked = None
        self.refresh()

    def move_label(self) -> bool:
        """Move the end's label in the photo to where the corrected limb ends."""
        place, person = self.end_px(), self.person
        if place is None or person is None or self.limb is None:
            return False
        limb = self.limb
        edit = self.session.attempt(lambda: move_label_too(person, limb, x=place[0], y=place[1]))
        return edit is not None and self.session.do(edit)

    def end_px(self) -> tuple[float, float] | None:
        """Return where the corrected limb's end lies in the photo, px; None without one."""
        kept, corrected = self.kept, self.corrected
        stumps = corrected.stumps if corrected is not None else ()
        tip = next((stump.tip for stump in stumps if stump.limb is self.limb), None)
        if kept is None or tip is None:
            return None
        x, y = kept.fit.camera.project(np.asarray(tip, float)[None])[0]
        return float(x), float(y)

    # ------------------------------------------------------------------------------------------------------- previews

    def tried(
        self, operation: Operation | None
    ) -> tuple[Person, KeptFit, Limb, tuple[Corrections, ...]] | None:
        """Return what a limb with one more operation is made of; None where there is nothing to make it from."""
        kept, person, record, limb = self.kept, self.person, self.corrections, self.limb
        if operation is None or kept is None or person is None or record is None or limb is None:
            return None
        return person, kept, limb, self._with(person, correct(record, operation))

    def preview(self, operation: EndAlongLimb | CutPlane | None) -> None:
        """Show where a cut would be while its handle is dragged; None ends it."""
        if operation is None:
            self.previews.end()
        else:
            self.previews.cut(operation)

    def preview_whole(self, operation: Operation | None) -> None:
        """Show what an operation would make of the limb, made in a thread; None ends it."""
        if operation is None:
            self.previews.end()
        else:
            self.previews.whole(operation)

    # ------------------------------------------------------------------------------------------------- ring and strokes

    @property
    def level_m(self) -> float:
        """Return where the ring stands: distance from the limb's end, metres."""
        return self._level_m

    @property
    def highest_level_m(self) -> float:
        surface = self.surface
        return surface.end_axial * surface.frame.length_m if surface is not None else 0.0

    def move_ring(self, level_m: float) -> None:
        """Put the ring at a distance from the end, within the limb."""
        high = max(self.highest_level_m - _NEAREST_LEVEL_M, _NEAREST_LEVEL_M)
        self._level_m = float(np.clip(level_m, _NEAREST_LEVEL_M, high))
        self.ring_moved.emit()

    @property
    def section(self) -> "LimbSection | None":
        """Return the limb's section at the ring, as it is at this moment."""
        from limbstudio.measures.limb_sections import is_same_at, section_at

        surface = self.present
        if surface is None:
            return None
        known = self._section
        if known is None or known[1] != self._level_m or not is_same_at(known[2], known[0], surface):
            known = surface, self._level_m, section_at(surface, self._level_m)
        self._section = (surface, *known[1:])
        return known[2]

    def section_before(self) -> "LimbSection | None":
        """Return the section at the ring of the limb before any brush; None where it was never brushed."""
        from limbstudio.measures.limb_sections import section_at

        surface = self.present
        if surface is None or np.array_equal(surface.points, surface.unedited):
            return None
        known = self._before
        if known is None or known[0] is not surface.unedited or known[1] != self._level_m:
            made = section_at(surface, self._level_m, surface.unedited)
            known = self._before = surface.unedited, self._level_m, made
        return known[2]

    def stroke_goes_on(self, stroke: "BrushSession") -> None:
        """Take the limb as a stroke has it now; who follows it looks when it has a turn."""
        self._stroke, self._stroke_moved = stroke, True
        self.turns.moved()

    # ----------------------------------------------------------------------------------------------------------- facts

    def quick_facts(self) -> tuple[float, float] | None:
        """Return volume (m3) and length (m) of the limb as it is at this moment."""
        from limbstudio.corrections.validity import limb_volume

        surface = self.present
        if surface is None:
            return None
        volume = limb_volume(surface) if self._stroke is None else self._stroke.volume_m3
        return volume, surface.end_axial * surface.frame.length_m

    def _ask_facts(self) -> None:
        corrected, surface = self.corrected, self.surface
        if corrected is None or surface is None or self.kept is None or self.person is None:
            self.facts = None
            self.facts_changed.emit()
            return

        def counted(facts: "ValidityFacts") -> None:
            if self.surface is surface:
                self.facts, self._known_crossings = facts, facts.self_intersections
                self.facts_changed.emit()

        def failed(error: BaseException) -> None:
            if not isinstance(error, KnownError):
                raise error

        count = count_facts(self, corrected, surface, intersections=self._known_crossings)
        self.session.bridge.load(count, counted, failed)
