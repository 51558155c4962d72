"""Masks of the person in work: shown over the photo, drawn with polygon, brush and eraser, found by GrabCut."""

from typing import TYPE_CHECKING

import numpy as np

from limbstudio.domain.errors import KnownError
from limbstudio.domain.mask_layers import (
    ALL_LAYERS,
    LayerName,
    MaskKind,
    MaskLayer,
    layer_of_person,
    set_layer,
)
from limbstudio.domain.photo import Person
from limbstudio.services import kept_masks, masking
from limbstudio.services.history import Entry
from limbstudio.ui.action_row import Owner
from limbstudio.ui.features import Feature
from limbstudio.ui.masks.layer_item import LayerItem
from limbstudio.ui.masks.layers_card import LayersCard
from limbstudio.ui.masks.tools import BrushTool, PolygonTool

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow

_STEP = 1.25


class Masks(Feature):
    """Own the mask tools. The layer that is drawn is held as pixels; a stroke is recorded when it ends."""

    owner = Owner.MASKS

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._studio = window.studio
        self._view = window.annotate_page.view
        self._actions = window.actions_table
        self._opacity = float(str(window.memory.value("mask_opacity", 0.45)))
        self.layer = LayerName()
        self.items: dict[LayerName, LayerItem] = {}
        self._shown: dict[LayerName, tuple[str, MaskLayer | None]] = {}
        self._reading = 0
        # Of the stroke that goes on: whose it is, of which layer, where it is drawn, and on which record.
        self._drawn_in: tuple[str, LayerName, LayerItem, MaskLayer | None] | None = None
        self.card = LayersCard(self._actions, window.annotate_page)
        self.card.hide()
        window.annotate_page.floats.add(self.card)
        self.brush = BrushTool(
            self._view, self._drawn, self._stroke_ended, radius_changed=self.card.show_radius
        )
        self.eraser = BrushTool(
            self._view, self._drawn, self._stroke_ended, erases=True, radius_changed=self.card.show_radius
        )
        self.polygon = PolygonTool(self._view, self._outlined)
        self._tools = {"mask_polygon": self.polygon, "mask_brush": self.brush, "mask_eraser": self.eraser}
        self.card.show_radius(self.brush.radius)
        self.card.show_opacity(self._opacity)
        self.card.layer_chosen.connect(self.choose_layer)
        self.card.radius_typed.connect(lambda radius: self._set_radius(float(radius)))
        self.card.opacity_changed.connect(self._set_opacity)
        session = self.session
        session.photo_selected.connect(self._on_person)
        session.person_selected.connect(self._on_person)
        session.people_changed.connect(self._on_entry)
        self._actions["masks"].setChecked(False)
        self._actions["select"].triggered.connect(lambda _=False: self._leave())
        self._view.tool_changed.connect(self._on_tool)

    def available(self) -> frozenset[str]:
        there = {"mask_tool"} if self._view.tool in (self.brush, self.eraser) else set[str]()
        person = self.session.person
        if person is not None and masking.layer_record(self._studio.project, person, self.layer) is not None:
            there.add("mask")
        return frozenset(there)

    def close(self) -> None:
        self._view.set_tool(None)

    # -------------------------------------------------------------------------------------------------- the actions

    def set_masks(self, shown: bool) -> None:
        """Show the layers of the person in work, or hide them."""
        self._on_person()

    def set_polygon(self, chosen: bool) -> None:
        self._choose("mask_polygon", chosen)

    def set_brush(self, chosen: bool) -> None:
        self._choose("mask_brush", chosen)

    def set_eraser(self, chosen: bool) -> None:
        self._choose("mask_eraser", chosen)

    def larger_brush(self) -> None:
        self._set_radius(self.brush.radius * _STEP)

    def smaller_brush(self) -> None:
        self._set_radius(self.brush.radius / _STEP)

    def next_layer(self) -> None:
        """Draw the next layer that this person can have."""
        names = self._possible_layers()
        at = names.index(self.layer) if self.layer in names else -1
        self.choose_layer(names[(at + 1) % len(names)])

    def clear_layer(self) -> None:
        """Take the layer away; undo brings it back."""
        person = self.session.person
        if person is None:
            return
        before = masking.layer_record(self._studio.project, person, self.layer)
        if before is not None:
            empty = MaskLayer(person.id, person.photo, self.layer.kind, self.layer.limb)
            self.session.do(set_layer(person, before, empty, f"Delete mask: {self.layer.label.lower()}"))

    def grab_cut(self) -> None:
        """Find the person's outline in the background; it replaces the person's layer as one edit."""
        person, photo, studio = self.session.person, self.session.photo, self._studio
        if person is None or photo is None or not self.session.can_edit:
            return

        def work(context: masking.Context) -> MaskLayer:
            pixels = studio.photo_pixels(photo)
            mask = masking.grab_cut(context, pixels, person, (photo.width, photo.height))
            if not mask.any():
                raise KnownError(
                    "No outline was found.", "Place some points on the person, or draw a closer box."
                )
            now = studio.person(person.id)
            edit = masking.kept_pixels(studio, now, LayerName(), mask, "Find the person's outline")
            if (now.mask_file, now.polygons) != (person.mask_file, person.polygons):
                raise KnownError(
                    "The mask was changed while the outline was looked for; yours is kept.", "Start it again."
                )
            studio.do(edit)
            return MaskLayer(person.id, person.photo, MaskKind.PERSON)

        self._show_layers()
        self.choose_layer(LayerName())
        self.session.start(lambda: studio.run(work, title="Find the person's outline"))

    def choose_layer(self, name: LayerName) -> None:
        """Draw another layer from now on."""
        self.layer = name
        self._show_layers()
        self._tell()
        self._view.setFocus()

    # -------------------------------------------------------------------------------------------------------- tools

    def _choose(self, action_id: str, chosen: bool) -> None:
        if not chosen:
            self._leave()
            return
        self.window.annotate_page.guiding.leave_guide()
        self._show_layers()
        self._view.set_tool(self._tools[action_id])
        self._tell()
        self._view.setFocus()

    def _leave(self) -> None:
        """Give the mouse back to the points."""
        if self._view.tool in self._tools.values():
            self._view.set_tool(None)

    def _on_tool(self) -> None:
        """Show which tool has the mouse: Esc and other tools take it as well."""
        for action_id, tool in self._tools.items():
            self._actions[action_id].setChecked(self._view.tool is tool)
        drawing = self._view.tool in self._tools.values()
        self.card.setVisible(drawing)
        if drawing:
            self._actions["select"].setChecked(False)
        else:
            self.window.annotate_page.guiding.show_guide()
        self.window.show_available()

    def _show_layers(self) -> None:
        if not self._actions["masks"].isChecked():
            self._actions["masks"].setChecked(True)
        self._on_person()

    def _set_radius(self, radius: float) -> None:
        for tool in (self.brush, self.eraser):
            tool.set_radius(radius)

    def _set_opacity(self, opacity: float) -> None:
        self._opacity = opacity
        self.window.memory.setValue("mask_opacity", opacity)
        for item in self.items.values():
            item.set_opacity(opacity)

    def _possible_layers(self) -> list[LayerName]:
        """Return the layers of limbs that differ, beside those that everybody has."""
        from limbstudio.ui.panels.limb_record import limbs_with_record

        limbs = limbs_with_record(self.session.person)
        return [name for name in ALL_LAYERS if name.limb is None or name.limb in limbs or name == self.layer]

    # -------------------------------------------------------------------------------------------------- the drawing

    def _drawn(self) -> LayerItem | None:
        """Return what the brush paints in: the layer's item, made when the layer is new."""
        person, photo = self.session.person, self.session.photo
        if person is None or photo is None or not self.session.can_edit:
            return None
        item = self.items.get(self.layer)
        if item is None and self._shown.get(self.layer, (person.id, None)) == (person.id, None):
            item = self._make_item(self.layer, np.zeros((photo.height, photo.width), np.uint8))
            self._shown[self.layer] = (person.id, None)
        on = self._shown[self.layer][1] if self.layer in self._shown else None
        self._drawn_in = None if item is None else (person.id, self.layer, item, on)
        return item

    def _stroke_ended(self, verb: str) -> None:
        """Record a stroke at once: what was drawn is in the journal before the next one begins."""
        if self._drawn_in is None:
            return
        (owner, name, item, on), self._drawn_in = self._drawn_in, None
        drawn = masking.Drawn(on, item.take_drawn())
        label = f"{verb}: {name.label.lower()}"
        edit = self.session.attempt(
            lambda: masking.kept_pixels(
                self._studio, self._studio.person(owner), name, item.mask, label, drawn=drawn
            )
        )
        if self.items.get(name) is not item:  # another person or photo was chosen while it was drawn
            if edit is not None:
                self.session.do(edit)
            return
        if edit is None:
            self._remove(name)  # what could not be kept is not shown as if it were
            self._on_person()
            return
        after = edit.changes[0].after
        if isinstance(after, Person):
            after = layer_of_person(after)
        # What is shown is what is recorded: it need not be read again.
        self._shown[name] = (
            owner,
            after if isinstance(after, MaskLayer) and not after.is_empty else None,
        )
        self.session.do(edit)

    def _outlined(self, corners: list[tuple[float, float]], is_hole: bool) -> None:
        person = self.session.person
        if person is not None and self.session.can_edit:
            edit = self.session.attempt(
                lambda: masking.with_polygon(self._studio, person, self.layer, corners, is_hole=is_hole)
            )
            if edit is not None:
                self.session.do(edit)

    def _failed(self, error: BaseException) -> None:
        if not isinstance(error, KnownError):
            raise error
        self.window.message_bar.say(error.message, error.hint)

    # ------------------------------------------------------------------------------------------------- what is shown

    def _on_entry(self, entry: Entry) -> None:
        if any(change.key[0] in ("mask_layer", "person") for change in entry.edit.changes):
            self._on_person()

    def _on_person(self) -> None:
        """Bring what is shown into line with the records of the person in work."""
        person = self.session.person
        if person is None or not self._actions["masks"].isChecked():
            self._forget()
            return
        wanted = {
            name: (person.id, masking.layer_record(self._studio.project, person, name)) for name in ALL_LAYERS
        }
        for name in [name for name, shown in self._shown.items() if shown != wanted[name]]:
            if not self._changed_in_place(name, *wanted[name]):
                self._remove(name)
        for name, (_, record) in wanted.items():
            if record is not None and name not in self._shown:
                self._read(person, name, record)
        self._tell()

    def _changed_in_place(self, name: LayerName, person: str, record: MaskLayer | None) -> bool:
        """Show another state of the same layer, as undo and redo bring it, by the tiles that differ."""
        owner, shown = self._shown[name]
        item = self.items.get(name)
        if item is None or self._drawn_in is not None or owner != person:
            return False
        if not (shown and shown.mask_file and record and record.mask_file):
            return False
        parts = kept_masks.show_change(item.mask, shown.mask_file, record.mask_file)
        if parts is None:
            return False
        for part in parts:
            item.show_again(part)
        self._shown[name] = person, record
        return True

    def _read(self, person: Person, name: LayerName, record: MaskLayer) -> None:
        self._shown[name] = (person.id, record)
        self._reading += 1

        def done(mask: np.ndarray) -> None:
            self._reading -= 1
            if self._shown.get(name) == (person.id, record) and name not in self.items:
                self._make_item(name, mask)
                self._tell()

        def failed(error: BaseException) -> None:
            self._reading -= 1
            self._failed(error)

        self.session.bridge.read(lambda: masking.read_layer(self._studio, person, name), done, failed)

    def _make_item(self, name: LayerName, mask: np.ndarray) -> LayerItem:
        item = self.items[name] = LayerItem(mask, name.kind, self._opacity)
        self._view.scene().addItem(item)
        return item

    def _remove(self, name: LayerName) -> None:
        self._shown.pop(name, None)
        item = self.items.pop(name, None)
        if item is not None:
            self._view.scene().removeItem(item)

    def _forget(self) -> None:
        for name in tuple(self._shown):
            self._remove(name)

    def _tell(self) -> None:
        """Say on the card which layer is drawn and how large it is."""
        item = self.items.get(self.layer)
        facts = "Nothing drawn yet."
        if item is not None:
            facts = f"{100 * np.count_nonzero(item.mask) / item.mask.size:.1f} % of the photo."
        if self.layer.kind is MaskKind.PROSTHESIS:
            facts += " A prosthesis is left out when masks are compared."
        if self.card.isVisible():
            self.card.show_layer(self.layer, facts)
            self.window.annotate_page.floats.arrange()

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing is being read."""
        return not self._reading
