"""The correcting half of the Residual limb perspective: tools that change the limb's surface, each an edit."""

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPointF, QTimer
from PySide6.QtGui import QColor, QPainter, QPen

from limbstudio.domain.corrections import Brush, CutPlane, EndAlongLimb
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.limb.brush_tool import BrushSize, BrushTool, ResetTool
from limbstudio.ui.limb.corrections_list import CorrectionsPart
from limbstudio.ui.limb.cut_tools import EndTool, PlaneTool
from limbstudio.ui.limb.shape_tools import MirrorTool, TipTool
from limbstudio.ui.limb.toolbox import LimbTool
from limbstudio.ui.theme import DARK, PHOTO_HALO, Theme

if TYPE_CHECKING:
    from limbstudio.ui.limb.previews import PreviewFacts
    from limbstudio.ui.main_window import MainWindow

_FOLD_SHOWN_MS = 6000


class Correcting(Feature):
    """Own the tools, the list of corrections and the mark of a refused stroke."""

    owner = Owner.CORRECTING

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self.page = window.mesh_page
        self.work, self.scene, self.toolbox = self.page.work, self.page.scene, self.page.toolbox
        self.size = BrushSize(self)
        say = self.page.options.say
        cursor = self.page.limb_cursor
        self.brushes = {
            brush: BrushTool(brush, self.size, self.work, self.scene, cursor, say) for brush in Brush
        }
        self.end = EndTool(self.work, self.scene, say)
        self.plane = PlaneTool(self.work, self.scene, say)
        self.tip = TipTool(self.work)
        self.mirror = MirrorTool(self.work)
        self.reset_tool = ResetTool(self.size, self.work, self.scene, cursor)
        tools: list[LimbTool] = [
            self.end,
            self.plane,
            self.tip,
            *self.brushes.values(),
            self.mirror,
            self.reset_tool,
        ]
        for tool in tools:
            self.toolbox.add(tool)
            if tool.options is not None:
                tool.options.setParent(self.page.options)
                tool.options.hide()
        self.mark = _FoldMark(self)
        self.toolbox.add_overlay(self.mark)
        self.list = CorrectionsPart(self.work, window.actions_table, window.theme)
        window.limb_panel.add_part(self.list)
        self._fold_ends = QTimer(self, interval=_FOLD_SHOWN_MS, singleShot=True)
        self._fold_ends.timeout.connect(self._forget_fold)
        self.work.previews.shown.connect(self._on_previewed)
        self.work.previews.measured.connect(self._on_preview_measured)
        self.work.previews.refused.connect(self.page.options.say)
        self.work.facts_changed.connect(self._on_facts)
        self.work.refused.connect(self._on_refused)
        self.work.changed.connect(self._on_changed)
        self.work.turns.add(self._follow_stroke)
        self.work.begun.connect(lambda: self.page.strip.show_busy())
        self.size.changed.connect(self.page.view.stage.update)

    def available(self) -> frozenset[str]:
        there = set()
        if self.work.operations:
            there.add("corrections")
        if any(isinstance(item, EndAlongLimb | CutPlane) for item in self.work.operations):
            there.add("end_corrected")
        return frozenset(there)

    def set_theme(self, theme: Theme) -> None:
        self.list.set_theme(theme)

    def close(self) -> None:
        self._fold_ends.stop()

    # ------------------------------------------------------------------------------------------------------ the tools

    def set_end(self, chosen: bool) -> None:
        self.toolbox.choose("limb_end", chosen)

    def set_plane(self, chosen: bool) -> None:
        self.toolbox.choose("cut_plane", chosen)

    def set_tip(self, chosen: bool) -> None:
        self.toolbox.choose("tip_shape", chosen)

    def set_pull(self, chosen: bool) -> None:
        self.toolbox.choose("brush_pull", chosen)

    def set_push(self, chosen: bool) -> None:
        self.toolbox.choose("brush_push", chosen)

    def set_smooth(self, chosen: bool) -> None:
        self.toolbox.choose("brush_smooth", chosen)

    def set_inflate(self, chosen: bool) -> None:
        self.toolbox.choose("brush_inflate", chosen)

    def set_flatten(self, chosen: bool) -> None:
        self.toolbox.choose("brush_flatten", chosen)

    def set_mirror(self, chosen: bool) -> None:
        self.toolbox.choose("mirror_other", chosen)

    def set_reset(self, chosen: bool) -> None:
        self.toolbox.choose("reset_here", chosen)

    def larger_brush(self) -> None:
        self.size.larger()

    def smaller_brush(self) -> None:
        self.size.smaller()

    def move_label(self) -> None:
        """Move the end's point in the photo to where the corrected limb ends."""
        if self.work.move_label():
            self.session.said.emit(
                "The point in the photo was moved to the limb's end.", "Fit again to use it.", False
            )

    def drop(self) -> None:
        """Take the chosen correction back, or the last."""
        self.work.drop(self.list.row)

    def reapply(self) -> None:
        self.work.reapply()

    def clear(self) -> None:
        """Take all corrections of this limb back; undo brings them again."""
        self.work.clear()

    # -------------------------------------------------------------------------------------------------- what happens

    def _on_previewed(self, mesh: Any) -> None:  # noqa: ANN401 - a BodyMesh, or None
        if mesh is not None and self.page.shows_limb:
            self.scene.show_cut(mesh)
            self.work.turns.moved()  # the linked views follow
        elif mesh is None and self.scene.previews:
            self.scene.end_cut()
            self.page.scene_changed.emit()

    def _on_changed(self) -> None:
        self.window.show_available()

    def _on_preview_measured(self, facts: "PreviewFacts | None") -> None:
        """Say what a correction would do before it is applied; afterwards, how the limb is."""
        if facts is None:
            self.work.facts_changed.emit()
        else:
            self.page.strip.show_preview(facts, self.work.scale, has_mask=self.work.has_mask)

    def _on_facts(self) -> None:
        facts = self.work.previews.facts
        if facts is not None:  # what was counted is the limb as it stands, which is not what is seen
            self._on_preview_measured(facts)

    def _follow_stroke(self) -> bool:
        """A stroke goes on: volume and length follow; faces it turns over are said."""
        tool, facts = self.toolbox.current, self.work.quick_facts()
        if not self.work.is_stroked or not isinstance(tool, BrushTool) or facts is None:
            return False
        self.page.strip.show_fold(tool.folds)
        self.page.strip.show_live(*facts, self.work.scale)
        return True

    def _on_refused(self, fold: Any) -> None:  # noqa: ANN401 - a Fold, or None
        surface = self.work.surface
        self.mark.place = None
        if fold is not None and surface is not None:
            self.mark.place = self.scene.as_shown(np.asarray(fold.position, float)[None])[0]
            self._fold_ends.start()
        self.page.view.stage.update()

    def _forget_fold(self) -> None:
        self.mark.place = None
        self.page.view.stage.update()


class _FoldMark(LimbTool):
    """Where a refused stroke would have folded the surface."""

    def __init__(self, owner: Correcting) -> None:
        self._owner = owner
        self.place: np.ndarray | None = None

    def paint(self, painter: QPainter) -> None:
        if self.place is None or not self._owner.page.shows_limb:
            return
        x, y = self._owner.page.view.stage.on_view(self.place[None])[0]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(0, 0, 0, 0))
        for pen in (QPen(QColor(PHOTO_HALO), 5), QPen(QColor(DARK.error), 2.4)):
            painter.setPen(pen)
            painter.drawEllipse(QPointF(x, y), 16, 16)
            painter.drawLine(QPointF(x - 6, y - 6), QPointF(x + 6, y + 6))
            painter.drawLine(QPointF(x - 6, y + 6), QPointF(x + 6, y - 6))
