"""What the canvas shows of a photo: the right pixels at every zoom, and the same when it was panned."""

import numpy as np
import pytest

from limbstudio.rendering.photo_tiles import Adjustment, PhotoPyramid, ViewTile


def ramp(width: int = 1200, height: int = 900) -> np.ndarray:
    """Return a photo whose red is x / 6 and whose green is y / 4, (H, W, 3) uint8."""
    y, x = np.mgrid[0:height, 0:width]
    return np.dstack([x // 6, y // 4, np.full_like(x, 40)]).astype(np.uint8)


def map_of(zoom: float, x: float, y: float, turn: float = 0.0) -> np.ndarray:
    """Return photo_from_tile of a view whose corner shows (x, y) at `zoom`, turned by `turn` degrees."""
    c, s = np.cos(np.radians(turn)) / zoom, np.sin(np.radians(turn)) / zoom
    return np.array([[c, s, x], [-s, c, y]])


@pytest.mark.parametrize("zoom", [0.12, 0.25, 0.33, 0.5, 0.8, 1.0, 2.5])
@pytest.mark.parametrize("turn", [0.0, 90.0, 15.0])
def test_a_tile_shows_the_pixels_that_lie_there(zoom, turn):
    photo = PhotoPyramid(ramp())
    view = map_of(zoom, 400, 300, turn)

    tile = photo.tile(view, (120, 80))

    for u, v in ((0, 0), (60, 40), (100, 10)):
        x, y = view @ (u, v, 1)
        if 8 < x < 1190 and 8 < y < 890:
            assert tile[v, u, 2] == pytest.approx(x / 6, abs=1.5)
            assert tile[v, u, 1] == pytest.approx(y / 4, abs=1.5)
            assert tuple(tile[v, u, [0, 3]]) == (40, 255)


def test_at_one_to_one_a_tile_is_the_photo():
    pixels = np.random.default_rng(1).integers(0, 255, (600, 700, 3), np.uint8)

    tile = PhotoPyramid(pixels).tile(map_of(1.0, 50, 30), (200, 100))

    assert np.array_equal(tile[..., 2::-1], pixels[30:130, 50:250])


def test_a_photo_too_large_to_convert_is_shown_by_the_piece(monkeypatch):
    pixels = np.random.default_rng(1).integers(0, 255, (300, 400, 3), np.uint8)
    whole = PhotoPyramid(pixels).tile(map_of(1.3, 20, 10, 15), (150, 100))
    monkeypatch.setattr("limbstudio.rendering.photo_tiles._CONVERTED_PIXELS", 1)

    piece = PhotoPyramid(pixels).tile(map_of(1.3, 20, 10, 15), (150, 100))

    inside = piece.astype(int) - whole
    assert np.abs(inside).max() <= 1


@pytest.mark.parametrize("adjustment", [Adjustment(), Adjustment(20, 30, 1.4), Adjustment(grey=True)])
@pytest.mark.parametrize("turn", [0.0, 15.0])
def test_panning_shows_what_a_fresh_view_would(adjustment, turn):
    photo = PhotoPyramid(np.random.default_rng(2).integers(0, 255, (900, 1200, 3), np.uint8))
    kept = ViewTile()
    view, size = map_of(0.7, 300, 300, turn), (160, 120)
    kept.of(photo, view, size, adjustment)

    for dx, dy in ((13, 0), (0, -9), (-40, 22), (500, 0)):
        view = view.copy()
        view[:, 2] = view @ (dx, dy, 1.0)
        shown = kept.of(photo, view, size, adjustment)

        fresh = ViewTile().of(photo, view, size, adjustment)
        # A resampled picture depends a little on where its corner lies; tones are steeper than 1 here.
        assert np.abs(shown.astype(int) - fresh).mean() < 1.0
        assert (np.abs(shown.astype(int) - fresh) > 12).mean() < 0.002


def test_another_brightness_changes_the_tile_and_not_the_photo():
    pixels = ramp()
    photo, kept = PhotoPyramid(pixels), ViewTile()
    view = map_of(1.0, 300, 300)
    plain = kept.of(photo, view, (50, 50), Adjustment()).copy()

    brighter = kept.of(photo, view, (50, 50), Adjustment(brightness=40))
    again = kept.of(photo, view, (50, 50), Adjustment())

    assert (brighter[..., :3].astype(int) - plain[..., :3]).mean() == pytest.approx(51, abs=3)
    assert np.array_equal(again, plain)
    assert np.array_equal(pixels, ramp())


def test_a_plain_adjustment_keeps_every_tone_and_gamma_keeps_black_and_white():
    assert np.array_equal(Adjustment().table(), np.arange(256))
    bright = Adjustment(gamma=2.0).table()
    assert (bright[0], bright[255]) == (0, 255)
    assert bright[64] == pytest.approx(255 * (64 / 255) ** 0.5, abs=1)


def test_keys_change_an_adjustment_within_its_limits():
    changed = Adjustment().changed(brightness=300, contrast=-300, gamma=100)

    assert changed == Adjustment(100, -100, 5.0)
    flat = Adjustment(contrast=-100).table()
    assert 60 < int(flat.max()) - flat.min() < 120
