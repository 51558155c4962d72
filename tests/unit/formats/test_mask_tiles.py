"""Masks as tiles: what is written is what changed, and every state that was written can be read again."""

import hashlib

import numpy as np
import pytest

from limbstudio.domain.errors import KnownError
from limbstudio.formats import mask_tiles
from limbstudio.formats.mask_tiles import MOST_FILES, SIDE, TiledMask, changed_tiles, written


class Files(dict[str, bytes]):
    """Files by the hash of their content."""

    def write(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        self[name] = data
        return name


def kept(files: Files, before: TiledMask, mask: np.ndarray, within=None) -> TiledMask:
    return written(before, changed_tiles(before, mask, within), files.write)


def first(files: Files, mask: np.ndarray) -> TiledMask:
    return kept(files, TiledMask((mask.shape[1], mask.shape[0])), mask)


def read(files: Files, names) -> np.ndarray:
    return mask_tiles.read(names, files.__getitem__).pixels()


def disc(shape: tuple[int, int], at: tuple[float, float], radius: float) -> np.ndarray:
    y, x = np.ogrid[: shape[0], : shape[1]]
    return (y - at[0]) ** 2 + (x - at[1]) ** 2 <= radius**2


@pytest.mark.parametrize("shape", [(1, 1), (SIDE, SIDE), (SIDE + 1, SIDE - 1), (700, 530), (3, 2000)])
@pytest.mark.parametrize("filled", ["noise", "all", "nothing"])
def test_a_mask_of_any_size_is_read_back_bit_by_bit(shape, filled):
    noise = np.random.default_rng(1).random(shape) > 0.5
    mask = {"noise": noise, "all": noise | True, "nothing": noise & False}[filled]
    files = Files()

    tiled = first(files, mask)

    assert len(tiled.files) == 1
    assert np.array_equal(read(files, tiled.files), mask)
    if filled != "noise":
        assert not tiled.places  # one word for each tile is enough


def test_a_stroke_writes_the_tiles_it_touches_and_no_others():
    mask = disc((2000, 3000), (1000, 1500), 700)
    files = Files()
    before = first(files, mask)
    stroke = mask | disc(mask.shape, (1000, 2190), 30)

    after = kept(files, before, stroke)

    assert set(after.files[1:]) == set(before.files)
    new = [place for place, (file, _) in after.places.items() if file == 0]
    assert new == [3 * 12 + 8, 4 * 12 + 8]  # the disc crosses one border between rows of tiles
    assert len(files[after.files[0]]) < len(files[before.files[0]]) / 5
    assert np.array_equal(read(files, after.files), stroke)
    assert np.array_equal(read(files, before.files), mask)


def test_where_nothing_was_drawn_is_not_looked_at():
    mask = disc((600, 900), (300, 300), 100)
    files = Files()
    before = first(files, mask)
    other = mask | disc(mask.shape, (300, 800), 40)

    assert changed_tiles(before, other, (0, 0, 500, 600)) == {}
    assert changed_tiles(before, other, (700, 200, 900, 400)) == changed_tiles(before, other)
    assert changed_tiles(before, other, (-50, -50, -10, -10)) == {}
    assert changed_tiles(before, other, (0, 0, 5000, 5000)) == changed_tiles(before, other)


def test_every_state_of_a_long_session_can_be_read_and_is_of_few_files():
    chance = np.random.default_rng(4)
    shape = (1100, 1500)
    mask = disc(shape, (550, 750), 400)
    files = Files()
    tiled = first(files, mask)
    states = [(tiled.files, mask)]

    for _ in range(50):
        at, radius = chance.random(2) * shape, float(chance.choice([4, 20, 120]))
        drawn = disc(shape, (at[0], at[1]), radius)
        mask = mask | drawn if chance.random() < 0.5 else mask & ~drawn
        box = (
            int(at[1] - radius) - 1,
            int(at[0] - radius) - 1,
            int(at[1] + radius) + 2,
            int(at[0] + radius) + 2,
        )
        tiled = kept(files, tiled, mask, box)
        states.append((tiled.files, mask))

    assert max(len(names) for names, _ in states) <= MOST_FILES
    for names, state in states:
        assert np.array_equal(read(files, names), state)


def test_a_tile_is_written_again_only_a_few_times():
    mask = disc((2000, 3000), (1000, 1500), 800)
    files = Files()
    tiled = first(files, mask)
    whole = sum(map(len, files.values()))

    edge = 2 * np.pi * np.random.default_rng(2).random(30)
    for angle in edge:
        drawn = disc(mask.shape, (1000 + 800 * np.sin(angle), 1500 + 800 * np.cos(angle)), 12)
        mask = mask | drawn
        tiled = kept(files, tiled, mask)

    each = (sum(map(len, files.values())) - whole) / len(edge)
    assert each < whole / 4


def test_drawing_what_is_there_changes_nothing():
    mask = disc((600, 900), (300, 300), 100)

    assert changed_tiles(first(Files(), mask), mask | disc(mask.shape, (300, 300), 50)) == {}


def test_a_damaged_file_is_said():
    mask = disc((1200, 1200), (600, 600), 560)
    files = Files()
    before = first(files, mask)
    after = kept(files, before, mask | disc(mask.shape, (600, 1150), 20))
    good = dict(files)
    newest, oldest = after.files
    chance = np.random.default_rng(0)

    with pytest.raises(KnownError, match="damaged"):
        read(files, (newest,))  # a list that is not whole
    with pytest.raises(KnownError, match="damaged"):
        read(files, (oldest, newest))
    for name in after.files:
        for cut in (0, 8, 20, 26, len(good[name]) // 2, len(good[name]) - 3):
            files[name] = good[name][:cut]
            with pytest.raises(KnownError, match="damaged"):
                read(files, after.files)
        files[name] = good[name]
    for at in chance.integers(mask_tiles._HEAD.size, len(good[newest]), 60):
        spoiled = bytearray(good[newest])
        spoiled[at] ^= int(chance.integers(1, 256))
        files[newest] = bytes(spoiled)
        with pytest.raises(KnownError, match="damaged"):
            read(files, after.files)


def test_a_file_that_claims_to_be_huge_is_refused_before_it_is_unpacked():
    head = mask_tiles._HEAD.pack(mask_tiles._MAGIC, 2**32 - 1, 2**32 - 1, SIDE, 0, 65535)

    with pytest.raises(KnownError, match="damaged"):
        mask_tiles.read(("a",), lambda name: head + b"x")
