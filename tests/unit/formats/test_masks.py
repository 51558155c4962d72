"""Masks: which one counts, and that every kind gives the right pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from limbstudio.domain.errors import KnownError
from limbstudio.domain.photo import Person
from limbstudio.formats.annotated import AnnotatedPerson, RunLengths
from limbstudio.formats.coco import read_annotations
from limbstudio.formats.masks import decode_run_lengths, encode_run_lengths, person_mask, polygon_mask
from limbstudio.formats.placing import placed_on
from limbstudio.images import LoadedPhoto, open_photo

_PHOTO = LoadedPhoto(np.zeros((6, 8, 3), np.uint8), "aa", 8, 6)
_SQUARE = (2.0, 1.0, 5.0, 1.0, 5.0, 4.0, 2.0, 4.0)


def _square(value: int = 255) -> np.ndarray:
    grey = np.zeros((6, 8), np.uint8)
    grey[1:5, 2:6] = value
    return grey


def _annotated(turned: int = 1, run_lengths: RunLengths | None = None, **person) -> AnnotatedPerson:
    return AnnotatedPerson(Person("1", "aa", **person), 1, "a.jpg", (8, 6), run_lengths, turned=turned)


def test_without_an_outline_there_is_no_mask(tmp_path):
    assert person_mask(_annotated(), _PHOTO, folder=tmp_path) is None


def test_the_given_file_wins_over_the_mask_file_and_that_over_polygons(tmp_path):
    Image.fromarray(_square()).save(tmp_path / "named.png")
    Image.fromarray(255 - _square()).save(tmp_path / "given.png")
    everything = (-1.0, -1.0, 9.0, -1.0, 9.0, 9.0, -1.0, 9.0)
    annotated = _annotated(mask_file="named.png", polygons=(everything,))

    named = person_mask(annotated, _PHOTO, folder=tmp_path)
    given_mask = person_mask(annotated, _PHOTO, folder=tmp_path, given=tmp_path / "given.png")
    outline = person_mask(_annotated(polygons=(everything,)), _PHOTO, folder=tmp_path)

    np.testing.assert_array_equal(named, _square() > 0)
    np.testing.assert_array_equal(given_mask, _square() == 0)
    assert outline is not None
    assert outline.all()


@pytest.mark.parametrize("value", [1, 255])
def test_label_pictures_of_zero_and_one_are_masks(tmp_path, value):
    Image.fromarray(_square(value)).save(tmp_path / "m.png")

    np.testing.assert_array_equal(
        person_mask(_annotated(mask_file="m.png"), _PHOTO, folder=tmp_path), _square() > 0
    )


@pytest.mark.parametrize("name", ["../m.png", "/etc/m.png", "x/../../m.png", "..\\m.png", "C:\\m.png"])
def test_a_mask_outside_the_folder_is_refused(tmp_path, name):
    folder = tmp_path / "inside"
    folder.mkdir()
    Image.fromarray(_square()).save(tmp_path / "m.png")

    with pytest.raises(KnownError, match="outside the folder"):
        person_mask(_annotated(mask_file=name), _PHOTO, folder=folder)


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    folder = tmp_path / "inside"
    folder.mkdir()
    Image.fromarray(_square()).save(tmp_path / "m.png")
    (folder / "m.png").symlink_to(tmp_path / "m.png")

    with pytest.raises(KnownError, match="outside the folder"):
        person_mask(_annotated(mask_file="m.png"), _PHOTO, folder=folder)


@pytest.mark.parametrize(
    ("grey", "words"),
    [(np.zeros((6, 8)), "all black"), (np.full((6, 8), 255), "all white"), (np.eye(5) * 255, "5 x 5")],
)
def test_what_cannot_be_a_mask_of_this_photo_is_refused(tmp_path, grey, words):
    Image.fromarray(grey.astype(np.uint8)).save(tmp_path / "m.png")

    with pytest.raises(KnownError, match=words):
        person_mask(_annotated(mask_file="m.png"), _PHOTO, folder=tmp_path)


def test_a_missing_mask_is_refused_by_name(tmp_path):
    with pytest.raises(KnownError, match=r"none\.png"):
        person_mask(_annotated(mask_file="none.png"), _PHOTO, folder=tmp_path)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_mask_of_the_stored_picture_is_turned_with_the_annotation(tmp_path, orientation):
    upright = np.zeros((6, 8), np.uint8)
    upright[0, :3] = 255
    stored = {5: upright.T, 6: np.rot90(upright), 7: upright[::-1, ::-1].T, 8: np.rot90(upright, -1)}[
        orientation
    ]
    Image.fromarray(stored.copy()).save(tmp_path / "m.png")

    mask = person_mask(_annotated(orientation, mask_file="m.png"), _PHOTO, folder=tmp_path)

    np.testing.assert_array_equal(mask, upright > 0)


def test_a_polygon_covers_the_centres_within_and_on_its_edge():
    np.testing.assert_array_equal(polygon_mask([_SQUARE], [], (8, 6)), _square() > 0)


def test_a_hole_leaves_its_own_edge_to_the_body():
    mask = polygon_mask([(0, 0, 7, 0, 7, 5, 0, 5)], [_SQUARE], (8, 6))

    assert mask.sum() == 48 - 4  # strictly inside the square: columns 3 and 4, rows 2 and 3


def test_the_area_of_a_polygon_is_right_for_any_shape():
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.column_stack((100.3 + 80 * np.cos(angle), 90.7 + 60 * np.sin(angle))).ravel()

    assert polygon_mask([circle], [], (220, 200)).sum() == pytest.approx(np.pi * 80 * 60, rel=2e-3)


def test_polygons_far_outside_the_picture_are_clipped():
    assert polygon_mask([(-1e9, -1e9, 1e9, -1e9, 1e9, 1e9, -1e9, 1e9)], [], (8, 6)).all()
    assert not polygon_mask([(100, 100, 200, 100, 150, 200)], [], (8, 6)).any()


@given(st.integers(1, 7), st.integers(1, 7), st.randoms(use_true_random=False))
def test_run_lengths_come_back(width, height, random):
    mask = np.array([[random.random() < 0.5 for _ in range(width)] for _ in range(height)])

    np.testing.assert_array_equal(decode_run_lengths(encode_run_lengths(mask)), mask)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**31), st.floats(0.02, 0.98))
def test_run_lengths_agree_with_pycocotools(width, height, seed, share):
    coco = pytest.importorskip("pycocotools.mask")
    mask = np.random.default_rng(seed).random((height, width)) < share

    packed = coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode("ascii")

    np.testing.assert_array_equal(decode_run_lengths(RunLengths((width, height), packed)), mask)


def test_a_compressed_mask_is_read(tmp_path):
    annotated = _annotated(run_lengths=RunLengths((8, 6), "=4200000;"))  # written by pycocotools

    np.testing.assert_array_equal(person_mask(annotated, _PHOTO, folder=tmp_path), _square() > 0)


def test_run_lengths_of_another_size_are_refused_before_they_are_unpacked(tmp_path):
    annotated = _annotated(run_lengths=RunLengths((10**6, 10**6), (10**12,)))

    with pytest.raises(KnownError, match="1000000 x 1000000"):
        person_mask(annotated, _PHOTO, folder=tmp_path)


@pytest.mark.parametrize("counts", [(10**30, 48 - 10**30), (1, 2), (-1, 49), (), "P", "\x7f", "zzzz"])
def test_damaged_run_lengths_are_refused(counts):
    with pytest.raises(KnownError):
        decode_run_lengths(RunLengths((8, 6), counts))


def test_real_masks_and_real_outlines_agree(shared_data):
    folder = shared_data / "real" / "limbloss"
    annotations = read_annotations(folder / "annotations.json")

    for annotated in annotations.people:
        photo = open_photo(folder / annotated.file_name)
        placed = placed_on(annotated, photo)
        mask = person_mask(placed, photo, folder=annotations.folder)
        outline = polygon_mask(placed.person.polygons, placed.person.holes, (photo.width, photo.height))

        assert mask is not None
        assert (mask & outline).sum() / (mask | outline).sum() > 0.98
