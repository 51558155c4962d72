"""What a person asks of the fits of one person: pins, a held shape, who begins; as edits, and as the fit's settings."""

from dataclasses import replace
from typing import TYPE_CHECKING

from limbstudio.domain.anatomy import LDPOSE
from limbstudio.domain.edits import Change, Edit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.fitted import FitOptions, KeptFit, Pin
from limbstudio.domain.photo import Person
from limbstudio.domain.project import Project
from limbstudio.services.initialisers import require

if TYPE_CHECKING:
    from limbstudio.resihmr.problem import FitSettings


def options_of(project: Project, person: Person) -> FitOptions:
    """Return what is asked of this person's fits; nothing by default."""
    found = project.records.get(("fit_options", person.id))
    return found if found is not None else FitOptions(person.id, person.photo)


def asked_of(project: Project, person_id: str) -> FitOptions | None:
    """Return what is asked, None where nothing is."""
    found = project.records.get(("fit_options", person_id))
    return None if found is None or found.asks_nothing else found


def pin(project: Project, person: Person, keypoint: int, fit: KeptFit | None, *, in_space: bool) -> Edit:
    """Make the edit that pins a keypoint, or takes its pin away where it has this one.

    in_space: it stays where `fit` has it; else the fit must meet the annotated point in the picture.
    """
    before = options_of(project, person)
    name = LDPOSE[keypoint].label.lower()
    new = Pin(keypoint, _place_in_space(fit, keypoint) if in_space else None)
    if not in_space and person.keypoints.points[keypoint].x is None:
        raise KnownError(f"The {name} has no place in the photo yet.", "Place the point, then pin it.")
    had = before.pin_of(keypoint)
    others = tuple(p for p in before.pins if p.keypoint != keypoint)
    if had is not None and (had.position_m is not None) == in_space:
        return _change(project, replace(before, pins=others), f"Unpin {name}")
    pins = tuple(sorted((*others, new), key=lambda p: p.keypoint))
    return _change(project, replace(before, pins=pins), f"Pin {name} in space" if in_space else f"Pin {name}")


def _place_in_space(fit: KeptFit | None, keypoint: int) -> tuple[float, float, float]:
    definition = LDPOSE[keypoint]
    if fit is None:
        raise KnownError("A point can be pinned in space only where a fit has put it.", "Fit the body first.")
    from limbstudio.domain.anatomy import SMPLX_INDEX  # only here

    if definition.name not in SMPLX_INDEX:
        raise KnownError(
            f"The {definition.label.lower()} is no joint of the body.", "Pin it in the picture instead."
        )
    x, y, z = (float(v) for v in fit.fit.joints[SMPLX_INDEX[definition.name]])
    return x, y, z


def lock_shape(project: Project, person: Person, fit: KeptFit | None) -> Edit:
    """Make the edit that holds the body's shape as `fit` has it, or frees it where it is held."""
    before = options_of(project, person)
    if before.shape is not None:
        return _change(project, replace(before, shape=None), "Free the body's shape")
    if fit is None:
        raise KnownError("There is no shape to hold yet.", "Fit the body first.")
    shape = tuple(float(v) for v in fit.fit.shape)
    return _change(project, replace(before, shape=shape), "Hold the body's shape")


def choose_initialiser(project: Project, person: Person, name: str) -> Edit:
    """Make the edit that lets another method begin this person's fits."""
    row = require(name)
    before = options_of(project, person)
    return _change(project, replace(before, initialiser=name), f"Begin fits by {row.title}")


def _change(project: Project, after: FitOptions, label: str) -> Edit:
    key = ("fit_options", after.person)
    before = project.records.get(key)
    return Edit(label, (Change(key, before, None if after.asks_nothing else after),), None, after.photo)


def settings_of(options: FitOptions | None) -> "FitSettings":
    """Return the fit's settings with what was asked in them."""
    from limbstudio.resihmr.problem import DEFAULT_SETTINGS  # heavy; the window asks for edits only

    if options is None or options.asks_nothing:
        return DEFAULT_SETTINGS
    return replace(DEFAULT_SETTINGS, pins=options.pins, held_shape=options.shape)
