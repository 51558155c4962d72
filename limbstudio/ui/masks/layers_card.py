"""The card of the mask tools: which layer is drawn, how large the brush is, how strong the colour."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from limbstudio.domain.mask_layers import ALL_LAYERS, LayerName
from limbstudio.ui.actions import Actions
from limbstudio.ui.masks.layer_item import LAYER_COLOURS
from limbstudio.ui.panels.parts import action_button, label, off_the_edge, tool_button


class LayersCard(QFrame):
    """It floats over the canvas while masks are drawn.

    Signals:
        layer_chosen(LayerName): another layer shall be drawn.
        radius_typed(int): the brush's radius in px of the photo.
        opacity_changed(float): 0 to 1.
    """

    layer_chosen = Signal(object)
    radius_typed = Signal(int)
    opacity_changed = Signal(float)

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Masks")
        self.layers = QComboBox()
        self.layers.setAccessibleName("Mask layer")
        for name in ALL_LAYERS:
            self.layers.addItem(_swatch(LAYER_COLOURS[name.kind]), name.label, name)
        self.layers.activated.connect(lambda index: self.layer_chosen.emit(self.layers.itemData(index)))
        self.radius = QSpinBox()
        self.radius.setRange(1, 400)
        self.radius.setSuffix(" px")
        off_the_edge(self.radius)
        self.radius.setAccessibleName("Radius of the brush")
        self.radius.valueChanged.connect(self.radius_typed.emit)
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(10, 90)
        self.opacity.setAccessibleName("Strength of the mask's colour")
        self.opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / 100))
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        for row, (words, widget) in enumerate(
            (("Layer", self.layers), ("Brush", self.radius), ("Colour", self.opacity))
        ):
            grid.addWidget(label(words, "small"), row, 0)
            grid.addWidget(widget, row, 1)
        tools = QHBoxLayout()
        tools.setSpacing(4)
        for action_id in ("mask_polygon", "mask_brush", "mask_eraser", "mask_grab_cut", "mask_clear"):
            tools.addWidget(tool_button(actions[action_id], 18, 32))
        tools.addStretch(1)
        done = action_button(actions["select"])
        done.setText("Done")
        tools.addWidget(done)
        self.facts = label("", "caption")
        self.facts.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(10)
        column.addWidget(label("Masks", "title"))
        column.addLayout(grid)
        column.addLayout(tools)
        column.addWidget(self.facts)
        by_keys = label("By keys: arrows aim, Space draws and stops, Enter clicks.", "caption")
        by_keys.setWordWrap(True)
        column.addWidget(by_keys)
        self.setFixedWidth(292)

    def show_layer(self, name: LayerName, facts: str) -> None:
        """Show which layer is drawn, and what is known of it."""
        self.layers.setCurrentIndex(ALL_LAYERS.index(name))
        self.facts.setText(facts)

    def show_radius(self, radius: float) -> None:
        self.radius.blockSignals(True)
        self.radius.setValue(round(radius))
        self.radius.blockSignals(False)

    def show_opacity(self, opacity: float) -> None:
        self.opacity.blockSignals(True)
        self.opacity.setValue(round(100 * opacity))
        self.opacity.blockSignals(False)


def _swatch(colour: str) -> QIcon:
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(colour))
    return QIcon(pixmap)
