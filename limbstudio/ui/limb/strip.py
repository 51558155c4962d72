"""The validity strip: closed, self-intersections, volume, length, distance from the mask."""

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from limbstudio.domain.body import ScaleSource
from limbstudio.ui import icons
from limbstudio.ui.limb.words import is_given, length_words, volume_words
from limbstudio.ui.panels.parts import label, line
from limbstudio.ui.theme import Theme
from limbstudio.ui.words import said

if TYPE_CHECKING:
    from limbstudio.corrections.validity import ValidityFacts
    from limbstudio.ui.limb.previews import PreviewFacts

_BUSY = "Checking ..."
_LIMB_CAPTIONS = ("Volume of the limb", "Length, joint to end")
_FAR_FROM_MASK_PX = 5.0  # mean distance from which the strip warns


class _Fact(QWidget):
    """One figure of the strip: a sign, a caption, a value."""

    def __init__(self, caption: str) -> None:
        super().__init__()
        self._icon = QLabel()
        self._caption = label(caption, "caption")
        self._value = label("", "value")
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._caption)
        words.addWidget(self._value)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 8, 4)
        row.setSpacing(9)
        row.addWidget(self._icon)
        row.addLayout(words)

    def showEvent(self, event: QShowEvent) -> None:
        """Be wide enough for what is said while it is counted: the strip would move with every word else."""
        super().showEvent(event)
        self._value.setMinimumWidth(self._value.fontMetrics().horizontalAdvance(said(_BUSY)))

    def set_caption(self, caption: str) -> None:
        self._caption.setText(caption)

    def show_value(self, text: str, icon: str, colour: str) -> None:
        self._value.setText(text)
        self.setAccessibleName(f"{self._caption.text()}: {text}")
        self._icon.setPixmap(icons.icon(icon, colour).pixmap(QSize(17, 17)))

    @property
    def text(self) -> str:
        return self._value.text()


class ValidityStrip(QWidget):
    """What must hold before a mesh is used, and what is watched while it is corrected."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("validityStrip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedHeight(52)
        self._theme = theme
        self._facts = {
            "watertight": _Fact("Watertight"),
            "self_intersections": _Fact("Self-intersections"),
            "volume": _Fact("Volume of the body"),
            "mesh": _Fact("Mesh"),
            "mask": _Fact("Distance from mask"),
        }
        self._lines = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.setSpacing(4)
        for n, (name, fact) in enumerate(self._facts.items()):
            if n:
                self._lines[name] = line(vertical=True)
                row.addWidget(self._lines[name])
            row.addWidget(fact)
        row.addStretch(1)

    def text(self, name: str) -> str:
        """Return what is said of 'watertight', 'self_intersections', 'volume', 'mesh' (or length) or 'mask'."""
        return self._facts[name].text

    def _arrange(self, *, limb: bool, preview: bool = False) -> None:
        volume, length = ("Volume if applied", "Length if applied") if preview else _LIMB_CAPTIONS
        self._facts["volume"].set_caption(volume if limb else "Volume of the body")
        self._facts["mesh"].set_caption(length if limb else "Mesh")
        self._facts["mask"].setVisible(limb)
        self._lines["mask"].setVisible(limb)

    def show_mesh_facts(self, mesh: dict[str, Any] | None) -> None:
        """mesh: what a kept fit says of its surface; None without a fit."""
        t = self._theme
        self._arrange(limb=False)
        if not mesh:
            for fact in self._facts.values():
                fact.show_value("–", "ph.circle-dashed", t.text3)
            return
        closed = bool(mesh.get("watertight"))
        shells = mesh.get("components", 1)
        words = f"Closed, {shells} shell" + ("" if shells == 1 else "s") if closed else "Open"
        self._facts["watertight"].show_value(words, *_sign(closed, t))
        crossings = mesh.get("self_intersections")
        if crossings is None:
            self._facts["self_intersections"].show_value("Not checked", "ph.circle-dashed", t.text3)
        else:
            self._facts["self_intersections"].show_value(str(crossings), *_sign(crossings == 0, t))
        volume = mesh.get("volume_m3")
        words = "–" if volume is None else f"{volume * 1000:.1f} l"
        self._facts["volume"].show_value(words, "ph.cube", t.text2)
        counts = f"{mesh.get('vertices', 0)} vertices, {mesh.get('faces', 0)} faces"
        self._facts["mesh"].show_value(counts, "ph.polygon", t.text2)

    def show_limb_facts(self, facts: "ValidityFacts | None", scale: ScaleSource, *, has_mask: bool) -> None:
        """Show what was counted on the limb; None while it is being counted."""
        t = self._theme
        self._arrange(limb=True)
        if facts is None:
            for fact in self._facts.values():
                fact.show_value(_BUSY, "ph.circle-dashed", t.text3)
            return
        self._show_counts(facts, has_mask=has_mask)
        self.show_live(facts.volume_m3, facts.length_m, scale)

    def _show_counts(self, facts: "ValidityFacts", *, has_mask: bool) -> None:
        t = self._theme
        closed = "Closed" if facts.closed else "Open"
        self._facts["watertight"].show_value(closed, *_sign(facts.closed, t))
        count = facts.self_intersections
        self._facts["self_intersections"].show_value(str(count), *_sign(count == 0, t))
        if facts.from_mask_px is None:
            words = "Outline not in the photo" if has_mask else "No mask: paint one"
            self._facts["mask"].show_value(words, "ph.circle-dashed", t.text3)
        else:
            near = facts.from_mask_px <= _FAR_FROM_MASK_PX
            self._facts["mask"].show_value(f"{facts.from_mask_px:.1f} px mean", *_sign(near, t))

    def show_preview(self, facts: "PreviewFacts", scale: ScaleSource, *, has_mask: bool) -> None:
        """Show what the limb would be like if a correction were applied; what takes longer to count comes later."""
        t = self._theme
        self._arrange(limb=True, preview=True)
        about = "≈ " if facts.roughly and is_given(scale) else ""
        self._facts["volume"].show_value(about + volume_words(facts.volume_m3, scale), "ph.cube", t.text2)
        self._facts["mesh"].show_value(about + length_words(facts.length_m, scale), "ph.ruler", t.text2)
        if facts.whole is not None:
            self._show_counts(facts.whole, has_mask=has_mask)
            return
        for name in ("watertight", "self_intersections", "mask"):
            self._facts[name].show_value(_BUSY, "ph.circle-dashed", t.text3)

    def show_live(self, volume_m3: float, length_m: float, scale: ScaleSource) -> None:
        """Show what changes under a brush; the rest waits for the release."""
        t = self._theme
        self._facts["volume"].show_value(volume_words(volume_m3, scale), "ph.cube", t.text2)
        self._facts["mesh"].show_value(length_words(length_m, scale), "ph.ruler", t.text2)

    def show_busy(self) -> None:
        """Say that a correction is being made and checked."""
        self._facts["self_intersections"].show_value(_BUSY, "ph.circle-dashed", self._theme.text3)

    def show_fold(self, faces: int) -> None:
        """Say that the surface under the brush turns over now."""
        words = f"{faces} faces turned over" if faces else "0 so far"
        self._facts["self_intersections"].show_value(words, *_sign(not faces, self._theme))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme


def _sign(good: bool, theme: Theme) -> tuple[str, str]:
    return ("ph.check-circle", theme.ok) if good else ("ph.warning", theme.warn)
