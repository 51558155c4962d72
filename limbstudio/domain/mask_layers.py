"""Masks as independent layers: the person, each residual limb, each prosthesis, and what stands before the person."""

from dataclasses import dataclass, replace
from enum import StrEnum

from limbstudio.domain.anatomy import Limb
from limbstudio.domain.edits import Change, Edit, Key, change_person
from limbstudio.domain.photo import Person
from limbstudio.domain.project import Project


class MaskKind(StrEnum):
    """What a layer shows. A prosthesis lies outside the person when masks are compared."""

    PERSON = "person"
    RESIDUAL_LIMB = "residual_limb"
    PROSTHESIS = "prosthesis"
    OCCLUDER = "occluder"


@dataclass(frozen=True)
class LayerName:
    """Which layer of a person. limb: for residual limbs and prostheses, else None."""

    kind: MaskKind = MaskKind.PERSON
    limb: Limb | None = None

    @property
    def label(self) -> str:
        """Return the name as people read it: 'Residual limb, left leg'."""
        words = self.kind.value.replace("_", " ").capitalize()
        return words if self.limb is None else f"{words}, {self.limb.value.replace('_', ' ')}"


@dataclass(frozen=True)
class MaskLayer:
    """One layer at the photo's resolution. mask_file: where its pixels are kept in the project.

    polygons, holes: flat x, y lists in pixels, kept as lines until the layer is brushed.
    """

    person: str
    photo: str
    kind: MaskKind
    limb: Limb | None = None
    mask_file: str | None = None
    polygons: tuple[tuple[float, ...], ...] = ()
    holes: tuple[tuple[float, ...], ...] = ()

    @property
    def name(self) -> LayerName:
        return LayerName(self.kind, self.limb)

    @property
    def is_empty(self) -> bool:
        return not (self.mask_file or self.polygons)


ALL_LAYERS: tuple[LayerName, ...] = (
    LayerName(),
    *(LayerName(MaskKind.RESIDUAL_LIMB, limb) for limb in Limb),
    *(LayerName(MaskKind.PROSTHESIS, limb) for limb in Limb),
    LayerName(MaskKind.OCCLUDER),
)


def layer_key(person: str, name: LayerName) -> Key:
    """Return the key of a layer's record; the person's own layer is part of the person's record."""
    if name.kind is MaskKind.PERSON:
        raise ValueError("The person's own mask is part of the person's record.")
    return ("mask_layer", f"{person}:{name.kind.value}:{'' if name.limb is None else name.limb.value}")


def layer_of_person(person: Person) -> MaskLayer:
    """Return the person's own mask as a layer."""
    return MaskLayer(
        person.id, person.photo, MaskKind.PERSON, None, person.mask_file, person.polygons, person.holes
    )


def set_layer(person: Person, before: MaskLayer | None, after: MaskLayer, label: str) -> Edit:
    """Make the edit that a layer becomes `after`; an empty one is taken away."""
    if after.kind is MaskKind.PERSON:
        changed = replace(
            person,
            mask_file=after.mask_file,
            polygons=after.polygons,
            holes=after.holes if after.polygons else (),
        )
        return change_person(person, changed, label)
    key = layer_key(person.id, after.name)
    return Edit(label, (Change(key, before, None if after.is_empty else after),), None, person.photo)


def devices_of(project: Project, person: Person) -> tuple[MaskLayer, ...]:
    """Return the layers of the person's prostheses, which lie outside the body that a fit sees."""
    names = (name for name in ALL_LAYERS if name.kind is MaskKind.PROSTHESIS)
    found = (project.records.get(layer_key(person.id, name)) for name in names)
    return tuple(layer for layer in found if isinstance(layer, MaskLayer))
