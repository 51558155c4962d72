"""What a correction would make of the limb before it is applied: the mesh, and the facts of the validity strip.

A cut under a handle is drawn at once, unrefined; a shape or a mirror image is made in a thread. What takes long to
count follows in a thread as soon as the handle rests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from limbstudio.domain.anatomy import Limb
from limbstudio.domain.correcting import describe
from limbstudio.domain.corrections import CutPlane, EndAlongLimb, Operation
from limbstudio.domain.errors import KnownError
from limbstudio.ui.limb.replaying import body_of_fit, count_facts, replayed

if TYPE_CHECKING:
    from limbstudio.corrections.replay import Corrected
    from limbstudio.corrections.validity import ValidityFacts
    from limbstudio.ui.limb.work import LimbWork

_RESTS_MS = 180  # after the last move of a handle


@dataclass(frozen=True, eq=False)
class PreviewFacts:
    """What is known of the limb as a preview has it. whole: all that the strip shows; None while it is counted.

    roughly: of the cut alone, before the limb is refined and its cap is round.
    """

    volume_m3: float
    length_m: float
    whole: "ValidityFacts | None" = None
    roughly: bool = False


class Previews(QObject):
    """Make previews of one operation at a time; the newest one counts.

    Signals:
        shown(object): a `BodyMesh` to be drawn; None: it ended.
        measured(object): `PreviewFacts`; None: it ended.
        refused(str): why the operation cannot be done, for people.
    """

    shown = Signal(object)
    measured = Signal(object)
    refused = Signal(str)

    def __init__(self, work: "LimbWork") -> None:
        super().__init__(work)
        self._work = work
        self.facts: PreviewFacts | None = None
        self._operation: Operation | None = None
        self._turn = 0
        self._due = QTimer(self, interval=0, singleShot=True)
        self._due.timeout.connect(self._show_cut)
        self._rests = QTimer(self, interval=_RESTS_MS, singleShot=True)
        self._rests.timeout.connect(self._count_cut)

    def cut(self, operation: EndAlongLimb | CutPlane) -> None:
        """Show where a cut would be while its handle is dragged; several calls are one picture."""
        self._turn += 1
        self._operation = operation
        self._due.start()

    def whole(self, operation: Operation) -> None:
        """Show what an operation would make of the limb."""
        self._turn += 1
        self._operation = operation
        self._measure(None)
        self._replay(self._shape_made)

    def end(self) -> None:
        """Show the limb as it is again."""
        self.drop()
        self.shown.emit(None)

    def drop(self) -> None:
        """Take back what is said of the preview; what is drawn stays until the limb itself is."""
        self._turn += 1
        self._operation = None
        self._due.stop()
        self._rests.stop()
        self._measure(None)

    def _measure(self, facts: PreviewFacts | None) -> None:
        if facts is not self.facts:
            self.facts = facts
            self.measured.emit(facts)

    # --------------------------------------------------------------------------------------------------------- cuts

    def _show_cut(self) -> None:
        tried = self._work.tried(self._operation)
        if tried is None:
            return
        from limbstudio.corrections.replay import preview_cut
        from limbstudio.corrections.validity import cut_facts

        person, kept, limb, corrections = tried
        made = self._work.session.attempt(
            lambda: preview_cut(person, kept.fit, body_of_fit(kept), corrections)
        )
        surface = self._work.surface
        if made is None or not self._done(made, limb):
            return
        self.shown.emit(made.mesh)
        if surface is not None:
            self._measure(PreviewFacts(*cut_facts(made.mesh, limb, surface.frame), roughly=True))
        self._rests.start()

    def _count_cut(self) -> None:
        """The handle rests: look at the limb as it would be, refined."""
        self._replay(self._surface_made)

    # ------------------------------------------------------------------------------------------------------ in a thread

    def _replay(self, done: "Callable[[Corrected, Limb], None]") -> None:
        tried, turn = self._work.tried(self._operation), self._turn
        if tried is None:
            return
        person, kept, limb, corrections = tried

        def replay() -> "Corrected | None":
            return replayed(person, kept, corrections, limb) if turn == self._turn else None

        def made(found: "Corrected | None") -> None:
            if turn == self._turn and found is not None and self._done(found, limb):
                done(found, limb)

        self._work.session.bridge.load(replay, made, _known)

    def _done(self, found: "Corrected", limb: Limb) -> bool:
        """Tell whether the operation could be done; say why not."""
        outcomes = found.outcomes.get(limb, ())
        if outcomes and outcomes[-1].ok:
            return True
        if outcomes and self._operation is not None:
            self.refused.emit(f"{describe(self._operation)} cannot be applied: {outcomes[-1].reason}")
        return False

    def _shape_made(self, found: "Corrected", limb: Limb) -> None:
        self.shown.emit(found.mesh)
        self._surface_made(found, limb)

    def _surface_made(self, found: "Corrected", limb: Limb) -> None:
        """Say what is known at once, and count the rest in the thread."""
        from limbstudio.corrections.validity import limb_volume

        surface, turn = found.limbs.get(limb), self._turn
        if surface is None:
            return
        self._measure(PreviewFacts(limb_volume(surface), surface.end_axial * surface.frame.length_m))
        count = count_facts(self._work, found, surface)

        def counted(facts: "ValidityFacts | None") -> None:
            if turn == self._turn and facts is not None:
                self._measure(PreviewFacts(facts.volume_m3, facts.length_m, facts))

        self._work.session.bridge.load(lambda: count() if turn == self._turn else None, counted, _known)


def _known(error: BaseException) -> Any:  # noqa: ANN401 - never returns for an error that nobody knows
    if not isinstance(error, KnownError):
        raise error
