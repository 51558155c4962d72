"""Lengths, areas and volumes of a limb in words: millimetres only where a scale was given."""

from limbstudio.domain.body import ScaleSource
from limbstudio.ui.words import tr

SCALE_WORDS = {
    ScaleSource.STATURE: "scale from the stature given",
    ScaleSource.REFERENCE: "scale from a known object",
    ScaleSource.PRIOR: "estimated: no scale was given",
}


def is_given(scale: ScaleSource) -> bool:
    """Tell whether millimetres may be said."""
    return scale is not ScaleSource.PRIOR


def scale_sentence(scale: ScaleSource) -> str:
    """Say as a sentence where the scale is from: 'Scale from the stature given.'"""
    words = tr(SCALE_WORDS[scale])
    return f"{words[:1].upper()}{words[1:]}."


def length_words(metres: float, scale: ScaleSource) -> str:
    """Say a length or a girth: '343 mm', or '≈ 34 cm' without a given scale."""
    return f"{metres * 1000:.0f} mm" if is_given(scale) else f"≈ {metres * 100:.0f} cm"


def level_words(metres: float, scale: ScaleSource) -> str:
    """Say where a section is, from the end: '100 mm', or '≈ 10.0 cm' without a given scale."""
    return f"{metres * 1000:.0f} mm" if is_given(scale) else f"≈ {metres * 100:.1f} cm"


def area_words(square_metres: float, scale: ScaleSource) -> str:
    return f"{square_metres * 1e4:.1f} cm²" if is_given(scale) else f"≈ {square_metres * 1e4:.0f} cm²"


def volume_words(cubic_metres: float, scale: ScaleSource) -> str:
    return f"{cubic_metres * 1e6:.0f} ml" if is_given(scale) else f"≈ {cubic_metres * 1e3:.1f} l"


def doubt_words(metres: float, scale: ScaleSource) -> str:
    """Say half of a 95 % interval; without a given scale there is none that could be said."""
    if not is_given(scale):
        return "no scale"
    return f"± {metres * 1000:.0f} mm" if metres >= 0.0005 else "± <1 mm"
