"""The fitted body as a picture to lay over the photo: the projection that `overlay.png` shows."""

import numpy as np

from limbstudio.domain.geometry import Camera
from limbstudio.services.studio import Mesh

_OPACITY = 0.62
_RESIDUAL_OPACITY = 0.85


def overlay_picture(mesh: Mesh, camera: Camera) -> tuple[np.ndarray, float]:
    """Draw a body as the camera sees it; return (H, W, 4) uint8 RGBA and the photo px per px of the picture.

    mesh: camera frame, metres. Slow enough for a thread (tens of ms).
    """
    # Loaded here: the rasteriser brings opencv, which the first paint does not need.
    from limbstudio.rendering.overlay import overlay_scale, scaled_camera
    from limbstudio.rendering.shading import draw_body

    scale = overlay_scale(camera)
    small = scaled_camera(camera, scale)
    lit = draw_body(mesh.vertices, mesh.faces, small, residual=mesh.residual, smooth_edges=False)
    alpha = np.maximum(lit.alpha, 1e-6)
    strength = _OPACITY + (_RESIDUAL_OPACITY - _OPACITY) * lit.residual / alpha
    colour = lit.rgb / alpha[..., None]  # weighted with its coverage until here
    picture = np.dstack([colour, lit.alpha * strength])
    return np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8), camera.size_px[0] / small.size_px[0]
