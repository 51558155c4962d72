"""What the 3D views show, in words: the body and its side, its landmarks, residual limbs' ends and measures."""

from typing import TYPE_CHECKING

import numpy as np

from limbstudio.domain.anatomy import LDPOSE, SMPLX_INDEX, impossible_keypoints
from limbstudio.domain.body import LimbFit, ScaleSource
from limbstudio.domain.fitted import KeptFit
from limbstudio.domain.photo import Person
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.mesh_accessible import Spoken, SpokenPart, tell_change
from limbstudio.ui.mesh_view import MeshView, View
from limbstudio.ui.privacy import names
from limbstudio.ui.words import tr

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_SIDES = {
    View.FRONT: "seen from the front",
    View.BACK: "seen from the back",
    View.LEFT: "seen from their left",
    View.RIGHT: "seen from their right",
    View.TOP: "seen from above",
    View.BOTTOM: "seen from below",
}


def side_sentences() -> tuple[str, ...]:
    """Return the English words for the sides, for the catalogues."""
    return tuple(_SIDES.values())


class MeshSpeech(Feature):
    """Tell screen readers what the 3D views show; it has no actions."""

    owner = Owner.SPEECH

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        for view in (window.mesh_page.view, window.annotate_page.mesh_view):
            view.speak_by(lambda view=view: self.spoken(view))
        self.session.fit_changed.connect(self._on_fit_changed)

    def spoken(self, view: MeshView) -> Spoken:
        """Return what a view shows now."""
        kept, person = self.session.fit, self.session.person
        if kept is None or person is None or not view.has_body:
            return Spoken(tr("No body is fitted yet."))
        is_main = view is self.window.mesh_page.view
        rests = is_main and self.window.actions_table["t_pose"].isChecked()
        parts = (*_landmarks(kept, person, rests=rests), *_ends(kept, rests=rests))
        return Spoken(
            self._summary(view, kept, person, rests=rests), (*parts, *(self._girths() if is_main else ()))
        )

    def _summary(self, view: MeshView, kept: KeptFit, person: Person, *, rests: bool) -> str:
        number = [p.id for p in self.session.people].index(person.id) + 1
        words = [names.person_name(number), tr(_SIDES[view.standard_view])]
        words.append(tr("in T-pose") if rests else tr("as in the photo"))
        words += [
            tr(
                "{limb}: {level}",
                limb=tr(limb.value.replace("_", " ").capitalize()),
                level=tr(state.level.label),
            )
            for limb, state in person.limbs.items()
            if state.level.value != "intact"
        ]
        if self.session.studio.is_stale(kept):
            words.append(tr("from before your edit"))
        return ", ".join(words) + "."

    def _girths(self) -> tuple[SpokenPart, ...]:
        """Return the rows of the table of girths: they are read, and lie nowhere."""
        table = self.window.limb_panel.table
        found = []
        for row in range(table.rowCount()):
            cells = []
            for column in range(table.columnCount()):
                item, head = table.item(row, column), table.horizontalHeaderItem(column)
                if item is not None and item.text().strip():
                    cells.append(f"{head.text()} {item.text()}".strip() if head is not None else item.text())
            if cells:
                found.append(SpokenPart(", ".join(cells)))
        return tuple(found)

    def _on_fit_changed(self) -> None:
        if self.window.mesh_page.isVisible():
            tell_change(self.window.mesh_page.view)


def _landmarks(kept: KeptFit, person: Person, *, rests: bool) -> tuple[SpokenPart, ...]:
    """Return the joints that exist. rests: the body is in T-pose, where the fit's joints are not."""
    impossible = impossible_keypoints(person.limbs)
    return tuple(
        SpokenPart(
            tr(LDPOSE[index].label), None if rests else np.asarray(kept.fit.joints[SMPLX_INDEX[point.name]])
        )
        for index, point in enumerate(LDPOSE)
        if point.name in SMPLX_INDEX and index not in impossible
    )


def _ends(kept: KeptFit, *, rests: bool) -> tuple[SpokenPart, ...]:
    return tuple(
        SpokenPart(_end_words(limb, kept.fit.scale), None if rests else np.asarray(limb.endpoint))
        for limb in kept.fit.limbs
    )


def _end_words(limb: LimbFit, scale: ScaleSource) -> str:
    """Say how long a residual limb is; centimetres, and 'about', where no scale was given."""
    joint = tr(limb.upstream.replace("_", " ").capitalize())
    name = tr(limb.limb.value.replace("_", " ").capitalize())
    if scale is ScaleSource.PRIOR:
        about = f"{limb.length_m * 100:.0f}"
        return tr("End of the residual limb, {limb}, about {length} centimetres from {joint}", limb=name,
                  length=about, joint=joint)  # fmt: skip
    low, high = (f"{metres * 1000:.0f}" for metres in limb.length_interval_m)
    return tr("End of the residual limb, {limb}, {length} millimetres from {joint}, {low} to {high}", limb=name,
              length=f"{limb.length_m * 1000:.0f}", joint=joint, low=low, high=high)  # fmt: skip
