"""The shape of a limb's end: a smooth dome over the ring, a wall that narrows, stays or widens, and a fold.

Pure functions of position: the wall's shape is a map of space about the limb's end, so the ring, the wall and
the cap's footing move together and nothing tears. What kind of end it is follows the girths, as prosthetists
say it (there is no ISO rule): conical where girth falls towards the end, cylindrical where it stays, bulbous
where it is largest near the end with a waist before it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbstudio.domain.corrections import TipKind, TipShape

Float = NDArray[np.floating]

# How far up the limb its end's shape reaches: shares of the radius at the ring and of the wall's length.
_REACH_RADII = 2.2
_REACH_SHARE = 0.6
# What the girth changes by: falls towards a conical end; waist and bulb of a bulbous one.
_CONE = 0.25
_WAIST, _BULB = 0.05, 0.10
# A fold's depth and half-width, in radii of the ring.
_FOLD_DEPTH, _FOLD_WIDTH = 0.30, 0.16
# How far a ring at these latitudes is drawn to the ellipse of inertia: `resihmr.cap`'s rings and tip.
_LATITUDE_SHARES = (0.0, 1 / 3, 2 / 3, 1.0)
_ROUNDING = (0.0, 0.35, 0.8, 1.0)


def dome_height(shape: TipShape) -> float:
    """Return the dome's height in radii: 0.2 flat, 0.5 as the fit's own, 0.8 pointed."""
    return 0.2 + 0.6 * shape.roundness


def _exponent(shape: TipShape | None) -> float:
    """Return the superellipse's exponent: 2 an ellipse, up to 4 a flat end with a rounded corner."""
    return 2.0 if shape is None else 2.0 + 2.0 * max(0.0, 1.0 - 2.0 * shape.roundness)


@dataclass(frozen=True, eq=False)
class Ring:
    """Where cap meets wall. points (k, 3): in order; centre (3,); outward (3,) unit; radius: metres."""

    points: Float
    centre: Float
    outward: Float
    radius: float


def wall_map(shape: TipShape, ring: Ring, wall: Float) -> Callable[[Float], Float]:
    """Return a map of positions (n, 3) that gives the wall the kind of end asked for. wall (n, 3): its
    vertices.
    """
    up = (ring.centre - wall) @ ring.outward
    reach = min(_REACH_RADII * ring.radius, _REACH_SHARE * float(up.max(initial=0.0)))
    if reach < 0.1 * ring.radius:
        return lambda points: np.asarray(points, float)
    levels = np.linspace(0.0, reach, 9)
    step = levels[1]
    near = (up > -step) & (up < reach + 2 * step)
    # Centre and mean radius level by level; each vertex counts for the levels beside it.
    weights = np.maximum(0.0, 1 - np.abs(up[near] - levels[:, None]) / (1.5 * step)) + 1e-12
    weights /= weights.sum(axis=1, keepdims=True)
    centres = weights @ wall[near]
    arms = wall[near] - centres[:, None]
    arms -= (arms @ ring.outward)[..., None] * ring.outward
    radii = (weights * np.linalg.norm(arms, axis=2)).sum(axis=1)
    wanted = radii[-1] * _profile(shape.kind, levels / reach)
    share = levels / reach
    factors = 1 + (wanted / radii - 1) * _smooth(1 - share)

    def move(points: Float) -> Float:
        points = np.asarray(points, float)
        height = np.clip((ring.centre - points) @ ring.outward, 0.0, None)
        centre = np.stack([np.interp(height, levels, centres[:, i]) for i in range(3)], axis=1)
        arm = points - centre
        arm -= (arm @ ring.outward)[:, None] * ring.outward
        factor = np.interp(height, levels, factors, right=1.0)
        return points + (factor - 1)[:, None] * arm

    return move


def _profile(kind: TipKind, share: Float) -> Float:
    """Return the radius wanted, in radii at the top of the reach. share: 0 at the ring, 1 at the top."""
    if kind is TipKind.CONICAL:
        return 1 - _CONE * (1 - share)
    if kind is TipKind.CYLINDRICAL:
        return np.ones_like(share)
    bulb = np.exp(-(((share - 0.22) / 0.2) ** 2))
    waist = np.exp(-(((share - 0.7) / 0.16) ** 2))
    return 1 + _BULB * bulb - _WAIST * waist


def _smooth(x: Float) -> Float:
    x = np.clip(x * 2.5, 0, 1)
    return x * x * (3 - 2 * x)


def dome(
    cap: Float, footing: Float, ring: Ring, *, height: float, lateral: Float, shape: TipShape | None
) -> Float:
    """Return where the vertices of a cap lie, (n, 3).

    cap (n,): 0 on the ring, 1 at the tip. footing (n, 3): the point of the ring each one stands above (any
    at the tip). height: of the tip above the ring's plane, metres. lateral (3,): along which a fold runs.
    """
    angle = np.clip(cap, 0, 1) * np.pi / 2
    power = 2 / _exponent(shape)
    rise = np.sin(angle) ** power
    arms = footing - ring.centre
    flat = arms - (arms @ ring.outward)[:, None] * ring.outward
    rounding = np.interp(cap, _LATITUDE_SHARES, _ROUNDING)
    share = np.clip(np.cos(angle), 0, 1) ** power * (1 + rounding * (_to_ellipse(flat, ring) - 1))
    lift = (arms @ ring.outward) * (1 - cap)  # a ring that is not quite plane flattens towards the tip
    out = ring.centre + share[:, None] * flat + (lift + height * rise)[:, None] * ring.outward
    if shape is not None and shape.fold > 0:
        along = lateral - lateral @ ring.outward * ring.outward
        across = np.cross(ring.outward, along / np.linalg.norm(along))
        beside = (out - ring.centre) @ across / ring.radius
        depth = shape.fold * min(_FOLD_DEPTH, 0.9 * height / ring.radius) * ring.radius
        groove = np.exp(-((beside / _FOLD_WIDTH) ** 2)) * np.sin(angle) ** 2
        out = out - (depth * groove)[:, None] * ring.outward
    return out


def _to_ellipse(arms: Float, ring: Ring) -> Float:
    """Return, for arms (n, 3) from the ring's centre to the ring, where its ellipse of inertia is on them."""
    about = ring.points - ring.centre
    about = about - (about @ ring.outward)[:, None] * ring.outward
    following = np.roll(about, -1, axis=0)
    lengths = np.linalg.norm(following - about, axis=1)
    weights = lengths + np.roll(lengths, 1)
    inertia = 2 * (about * (weights / weights.sum())[:, None]).T @ about
    inverse = np.linalg.pinv(inertia)
    size = np.einsum("ni,ij,nj->n", arms, inverse, arms)
    return np.where(size > 1e-12, 1 / np.sqrt(np.maximum(size, 1e-12)), 1.0)
