"""Pictures of skin from a user's folder: by group, evenly lit, laid round the limbs, counted; nonsense is refused."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from limbstudio.a3d.clothing import landmarks
from limbstudio.a3d.groups import TONES
from limbstudio.a3d.making import Made, make_set
from limbstudio.a3d.plans import SampleOptions
from limbstudio.a3d.records import mask_of
from limbstudio.a3d.sampling import make_sample, open_sources
from limbstudio.a3d.shards import truths
from limbstudio.a3d.skins import Skins, read_skins, unrolled
from limbstudio.a3d.textures import read_textures
from limbstudio.body.model import load_body
from limbstudio.domain.errors import KnownError
from limbstudio.rendering.raster import Floats

TONE_NAMES = [tone.name for tone in TONES]
GREEN = (40, 200, 40)  # as cv2 writes it; a colour that no procedural skin has


def _picture(path: Path, pixels: tuple[int, int, int] | np.ndarray = GREEN) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    flat = np.full((80, 60, 3), pixels, np.uint8) if isinstance(pixels, tuple) else pixels
    cv2.imwrite(str(path), flat)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder with green skins of the first four groups."""
    folder = tmp_path_factory.mktemp("textures")
    for group in TONE_NAMES[:4]:
        _picture(folder / "skin" / group / "a.png")
    return folder


@pytest.fixture(scope="module")
def green_set(folder, tmp_path_factory) -> Made:
    options = SampleOptions(seed=6, size_px=64, textures=folder)
    return make_set(tmp_path_factory.mktemp("green") / "set", 6, options, shard_size=3)


def _spot(values: Floats, spread: float) -> np.ndarray:
    return np.clip(np.repeat(values[..., None], 3, 2) * spread, 0, 255).astype(np.uint8)


def test_skin_and_cloth_lie_beside_each_other(tmp_path):
    _picture(tmp_path / "jeans.png")
    _picture(tmp_path / "cloth" / "skin" / "linen.png")
    _picture(tmp_path / "skin" / "tone_2" / "b.jpg")
    _picture(tmp_path / "skin" / "tone_2" / "more" / "c.png")

    found = read_textures(tmp_path)

    assert found.names == ("linen.png", "jeans.png")
    assert found.skins.counts == {"tone_2": 2}
    assert read_textures(None).skins.counts == {}
    assert read_skins(tmp_path / "cloth" / "nowhere").counts == {}


def test_a_folder_of_skin_alone_leaves_the_cloth_procedural(folder):
    found = read_textures(folder)

    assert found.pictures == ()
    assert found.draw(np.random.default_rng(0)) == (None, None)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("skin/tone_9/a.png", "“tone_9”.* is no group of skin"),
        ("skin/Tone_1/a.png", "“Tone_1”.* is no group of skin"),
        ("skin/a.png", "belongs to no group"),
        ("skin/tone_1/readme.txt", "no pictures in the folder of skin textures"),
        ("skin/readme.txt", "no pictures in the folder of skin textures"),
        ("skin/tone_1/a.jpg", r"a\.jpg"),
    ],
)
def test_skins_that_are_none_are_refused(tmp_path, file, said):
    _picture(tmp_path / "cloth" / "linen.png")
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_bytes(b"no picture")
    if "no pictures" not in said and file.endswith("png"):
        _picture(tmp_path / file)

    with pytest.raises(KnownError, match=said) as raised:
        read_textures(tmp_path)

    if "group" in said:
        assert all(name in raised.value.hint for name in TONE_NAMES)


def test_only_the_own_group_wears_a_picture_and_each_of_its_pictures_alike(tmp_path):
    for name in ("a", "b"):
        _picture(tmp_path / "tone_3" / f"{name}.png")
    skins = read_skins(tmp_path)
    rng = np.random.default_rng(0)

    drawn = [skins.draw("tone_3", rng) for _ in range(200)]

    assert skins.draw("tone_4", rng) is None
    assert Skins().draw("tone_3", rng) is None
    names = [skin.name for skin in drawn if skin is not None]
    assert len(names) == 200
    assert 70 < names.count("tone_3/a.png") < 130


def test_the_light_of_the_photo_is_taken_out_and_its_mean_colour_and_texture_stay(tmp_path):
    rng = np.random.default_rng(1)
    spots = 1 + 0.2 * cv2.resize(rng.standard_normal((32, 32)), (128, 128))
    shaded = spots * np.linspace(0.6, 1.4, 128)
    _picture(tmp_path / "tone_1" / "even.png", _spot(spots, 130))
    _picture(tmp_path / "tone_1" / "shaded.png", _spot(shaded, 130))

    even, found = (skin.picture[..., 0] for skin in read_skins(tmp_path).pictures["tone_1"])

    thirds = np.array([part.mean() for part in np.array_split(found, 3, 1)])
    before = np.array([part.mean() for part in np.array_split((shaded * 130 / 255) ** 2.2, 3, 1)])
    assert np.ptp(before) / before.mean() > 0.8
    assert np.ptp(thirds) / thirds.mean() < 0.25
    assert np.corrcoef(even.ravel(), found.ravel())[0, 1] > 0.8
    # cv2 wrote 8-bit pixels; the mean of what it wrote is the mean of the skin
    assert found.mean() == pytest.approx(float(before.mean()), rel=0.05)


def test_a_picture_is_laid_round_limbs_without_a_seam(tmp_path):
    body = load_body()
    marks = landmarks(body, np.zeros(body.n_shape))
    wave = 128 + 100 * np.sin(np.linspace(0, 6 * np.pi, 64))
    _picture(tmp_path / "tone_1" / "waves.png", _spot(np.add.outer(wave, wave) / 2, 1.0))
    skin = read_skins(tmp_path).draw("tone_1", np.random.default_rng(0))
    assert skin is not None
    turn = np.linspace(0, 2 * np.pi, 721)
    knee, elbow = marks.joint("left_knee"), marks.joint("right_elbow")

    leg = knee + 0.05 * np.column_stack([np.cos(turn), 0 * turn, np.sin(turn)])
    arm = elbow + 0.04 * np.column_stack([0 * turn, np.cos(turn), np.sin(turn)])

    for ring in (leg, arm):
        along, about = unrolled(ring, marks)
        assert np.ptp(along) < 1e-9
        assert np.ptp(about) > 0.25  # it goes round, it is not laid on from the front
        colours = skin.laid(ring, marks)
        assert np.abs(np.diff(colours, axis=0)).max() < 0.1
        assert np.ptp(colours[:, 0]) > 0.1


def test_people_of_the_groups_have_the_skin_and_the_truth_names_it(green_set):
    greens = {}
    for truth, files in truths(green_set.folder, green_set.shards):
        has = truth["tone"] in TONE_NAMES[:4]
        assert truth["skin"] == (f"{truth['tone']}/a.png" if has else None)
        pixels = np.asarray(cv2.imdecode(np.frombuffer(files["jpg"], np.uint8), cv2.IMREAD_COLOR), int)
        person = mask_of(files["person.png"])
        blue, green, red = (pixels[..., k] for k in range(3))
        greens.setdefault(has, []).append(int(((green > 1.5 * red) & (green > 1.5 * blue) & person).sum()))
    assert sum(greens[True]) > 100
    assert sum(greens[False]) < 5
    text = (green_set.folder / "datasheet.md").read_text(encoding="utf-8")
    assert "4 pictures of skin of a folder (tone_1: 1, tone_2: 1, tone_3: 1, tone_4: 1)" in text
    assert "The other groups keep the procedural skin." in text
    counted = [int(line.split("|")[2]) for line in text.splitlines() if "of a picture |" in line]
    assert sum(counted) == len(greens[True])


def test_several_workers_make_the_bytes_of_one_with_pictures_of_skin(green_set, folder, tmp_path, same_files):
    options = SampleOptions(seed=6, size_px=64, textures=folder)

    make_set(tmp_path / "set", 6, options, shard_size=3, workers=2)

    same_files(tmp_path / "set", green_set.folder)


def test_without_pictures_of_skin_nothing_is_said_of_them(tmp_path):
    _picture(tmp_path / "linen.png")
    options = SampleOptions(seed=6, size_px=64, textures=tmp_path)

    truth = json.loads(dict(make_sample(open_sources(options), 0).files)["json"])

    assert "skin" not in truth
