"""A user's photos and textures: people are taken out, what will not do is passed over, nonsense is refused."""

import json

import cv2
import numpy as np
import pytest

from limbstudio.a3d.backgrounds import read_backgrounds
from limbstudio.a3d.plans import SampleOptions
from limbstudio.a3d.quality import LEAST_SSIM, FoundPerson, cleaned, ssim
from limbstudio.a3d.sampling import make_sample, open_sources
from limbstudio.a3d.textures import read_textures
from limbstudio.domain.errors import KnownError

RED = (40, 40, 220)  # as cv2 writes it


def _scene(path, person: tuple[int, int, int, int] | None) -> None:
    """Draw a smooth place with a red "person" in a box (left, top, width, height)."""
    y, x = np.mgrid[0:240, 0:320]
    picture = np.stack([120 + 40 * np.sin(x / 50), 140 + 0.2 * y, 110 + 0.1 * x], -1).astype(np.uint8)
    if person is not None:
        left, top, width, height = person
        picture[top : top + height, left : left + width] = RED
    cv2.imwrite(str(path), picture)


def _coco(folder, rows: dict[str, object]) -> None:
    images = [{"id": i, "file_name": name, "width": 320, "height": 240} for i, name in enumerate(rows)]
    annotations = [
        {"id": i, "image_id": i, "category_id": 1, "bbox": [0, 0, 1, 1], "segmentation": outline}
        if not isinstance(outline, tuple)
        else {"id": i, "image_id": i, "category_id": 1, "bbox": list(outline)}
        for i, outline in enumerate(rows.values())
    ]
    document = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    (folder / "people.json").write_text(json.dumps(document))


def _is_red(pixels: np.ndarray) -> np.ndarray:
    return (pixels[..., 0] > 170) & (pixels[..., 1] < 90)


def _run_lengths(box: tuple[int, int, int, int]) -> dict[str, object]:
    left, top, width, height = box
    mask = np.zeros((240, 320), int)
    mask[top : top + height, left : left + width] = 1
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    return {"size": [240, 320], "counts": np.diff([0, *edges, len(flat)]).tolist()}


@pytest.mark.parametrize("how", ["box", "polygon", "run lengths"])
def test_people_that_a_coco_file_marks_are_taken_out(tmp_path, how):
    box = (100, 60, 40, 120)
    corners = [[100, 60, 140, 60, 140, 180, 100, 180]]
    outline = {"box": box, "polygon": corners, "run lengths": _run_lengths(box)}[how]
    _scene(tmp_path / "a.png", box)
    _coco(tmp_path, {"a.png": outline})

    photo = read_backgrounds(tmp_path).take(0.5, 128, np.random.default_rng(0))

    assert photo.removed == 1
    assert LEAST_SSIM <= photo.ssim < 1
    assert not _is_red(photo.pixels).any()


def test_without_a_list_a_photo_stays_as_it_is(tmp_path):
    _scene(tmp_path / "a.png", (100, 60, 40, 120))

    photo = read_backgrounds(tmp_path).take(0.5, 128, np.random.default_rng(0))

    assert (photo.removed, photo.ssim) == (0, 1.0)
    assert _is_red(photo.pixels).any()


def test_a_photo_that_people_fill_is_passed_over(tmp_path):
    rng = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "a.png"), rng.integers(0, 256, (240, 320, 3), np.uint8))
    _scene(tmp_path / "b.png", None)
    _coco(tmp_path, {"a.png": (5, 5, 310, 230)})
    backgrounds = read_backgrounds(tmp_path)

    photo = backgrounds.take(0.0, 128, rng)

    assert photo.file == "b.png"
    assert photo.passed_over == (("a.png", "SSIM below 0.5"),)


def test_a_folder_in_which_nothing_will_do_is_said(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8))
    _coco(tmp_path, {"a.png": (0, 0, 320, 240)})

    with pytest.raises(KnownError, match="None of the 1 photos"):
        read_backgrounds(tmp_path).take(0.0, 128, np.random.default_rng(0))


def test_a_detector_finds_people_and_checks_that_none_is_left():
    y, x = np.mgrid[0:200, 0:300]
    picture = np.stack([90 + 0.1 * x, 100 + 0.2 * y, 0 * x + 130], -1).astype(np.uint8)
    picture[50:150, 100:130] = (220, 40, 40)
    stubborn = FoundPerson((200.0, 20.0, 30.0, 60.0), 9)

    def find(pixels):
        return [FoundPerson((98.0, 48.0, 34.0, 104.0), 17)] if _is_red(pixels).any() else []

    none = np.zeros((200, 300), bool)
    clean = cleaned(picture, none, 0, find)
    haunted = cleaned(picture, none, 0, lambda pixels: [*find(pixels), stubborn])

    assert (clean.refusal, clean.removed) == ("", 1)
    assert not _is_red(clean.pixels).any()
    assert haunted.refusal == "a person is still found"


def test_ssim_is_one_for_the_same_picture_and_falls_with_noise_and_blur():
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:96, 0:128]
    picture = (127 + 60 * np.sin(x / 3) * np.cos(y / 4)).astype(np.uint8)
    noisy = np.clip(picture + rng.normal(0, 40, picture.shape), 0, 255).astype(np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 6), np.uint8)
    level = np.full_like(picture, 100)

    assert ssim(picture, picture) == pytest.approx(1.0)
    assert 0.1 < ssim(picture, noisy) < 0.9
    assert ssim(picture, blurred) < 0.5
    # Two even pictures differ by the first factor of equation 13 alone.
    c1 = (0.01 * 255) ** 2
    expected = (2 * 100 * 110 + c1) / (100**2 + 110**2 + c1)
    assert ssim(level, level + 10) == pytest.approx(expected, abs=1e-9)


def test_a_damaged_photo_is_left_out(tmp_path):
    _scene(tmp_path / "a.png", None)
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "c.png").write_bytes(whole[: len(whole) // 3])

    backgrounds = read_backgrounds(tmp_path)
    taken = {backgrounds.take(pick, 96, np.random.default_rng(0)).file for pick in (0.1, 0.9)}

    assert backgrounds.unreadable == ("b.jpg",)
    assert taken == {"a.png"}


@pytest.mark.parametrize("read", [read_backgrounds, read_textures])
def test_folders_that_are_absent_empty_or_hold_no_picture_are_refused(tmp_path, read):
    with pytest.raises(KnownError, match="not there"):
        read(tmp_path / "nowhere")
    with pytest.raises(KnownError, match="no pictures"):
        read(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(KnownError):
        read(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", '{"images": 3}', '{"annotations": [{}], "images": []}'])
def test_a_list_of_people_that_is_none_is_refused(tmp_path, content):
    _scene(tmp_path / "a.png", None)
    (tmp_path / "people.json").write_text(content)

    with pytest.raises(KnownError, match=r"people\.json"):
        read_backgrounds(tmp_path)


def test_an_outline_that_is_none_is_refused(tmp_path):
    _scene(tmp_path / "a.png", None)
    _coco(tmp_path, {"a.png": {"size": [1, 2]}})

    with pytest.raises(KnownError, match=r"a\.png"):
        read_backgrounds(tmp_path).take(0.0, 96, np.random.default_rng(0))


def test_photos_and_textures_of_a_user_are_in_the_picture(tmp_path):
    photos, cloths = tmp_path / "photos", tmp_path / "cloths"
    photos.mkdir()
    cloths.mkdir()
    cv2.imwrite(str(photos / "green.png"), np.full((200, 200, 3), (30, 200, 30), np.uint8))
    cv2.imwrite(str(cloths / "magenta.png"), np.full((64, 64, 3), (220, 0, 220), np.uint8))
    options = SampleOptions(seed=3, size_px=96, backgrounds=photos, textures=cloths)
    sources = open_sources(options)

    magenta = 0
    for index in range(3):
        files = dict(make_sample(sources, index).files)
        truth = json.loads(files["json"])
        pixels = cv2.imdecode(np.frombuffer(files["jpg"], np.uint8), cv2.IMREAD_COLOR).astype(int)
        mask = cv2.imdecode(np.frombuffer(files["person.png"], np.uint8), cv2.IMREAD_GRAYSCALE) > 0
        blue, green, red = (pixels[..., k] for k in range(3))
        assert truth["background"]["file"] == "green.png"
        assert ((green > blue + 20) & (green > red + 20))[:12].mean() > 0.5
        magenta += int(((red > green + 40) & (blue > green + 40) & mask).sum())
    assert magenta > 100
