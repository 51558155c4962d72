"""From a handle that was dragged in 3D to the operation it means, and where the handles stand."""

from math import asin, cos

import numpy as np
from numpy.typing import NDArray

from limbstudio.corrections.limb_frame import LimbFrame
from limbstudio.domain.corrections import MAX_TILT, CutPlane, EndAlongLimb

Float = NDArray[np.floating]

# A limb's end is dragged between these axial fractions: a stub of it, and a little beyond the joint.
END_RANGE = (0.05, 1.1)


def end_at(frame: LimbFrame, position: Float) -> EndAlongLimb:
    """Return the operation that ends the limb level with a position (3,) at rest, within what is possible."""
    axial = float(np.clip(frame.axial_of(position), *END_RANGE))
    return EndAlongLimb(1 - axial)


def plane_through(frame: LimbFrame, position: Float, normal: Float) -> CutPlane:
    """Return the cut plane through a position (3,) with a distal normal (3,), at rest; tilts are bounded."""
    unit = np.asarray(normal, float)
    unit = unit / np.linalg.norm(unit)
    unit = unit if unit @ frame.axis >= 0 else -unit
    tilt_ap = float(np.clip(asin(np.clip(unit @ frame.anterior, -1, 1)), -MAX_TILT, MAX_TILT))
    sine = np.clip(unit @ frame.lateral / max(cos(tilt_ap), 1e-9), -1, 1)
    tilt_ml = float(np.clip(asin(sine), -MAX_TILT, MAX_TILT))
    made = plane_normal(frame, tilt_ap, tilt_ml)
    # Where the plane crosses the bone's line.
    along = float((np.asarray(position, float) - frame.origin) @ made / (frame.axis @ made))
    return CutPlane(float(np.clip(along / frame.length_m, *END_RANGE)), tilt_ap, tilt_ml)


def plane_normal(frame: LimbFrame, tilt_ap: float, tilt_ml: float) -> Float:
    """Return the distal unit normal (3,) of a tilted cut plane."""
    a, m = np.sin(tilt_ap), np.cos(tilt_ap) * np.sin(tilt_ml)
    return a * frame.anterior + m * frame.lateral + np.cos(tilt_ap) * np.cos(tilt_ml) * frame.axis


def plane_origin(frame: LimbFrame, plane: CutPlane) -> Float:
    """Return where a cut plane crosses the bone's line, (3,) at rest."""
    return frame.origin + plane.offset * frame.length_m * frame.axis
