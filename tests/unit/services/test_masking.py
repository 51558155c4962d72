"""Mask layers as records and pixels: read, kept, outlined, and a first outline by GrabCut."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from limbstudio.domain import edits
from limbstudio.domain.anatomy import LDPOSE_INDEX, Limb
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Box
from limbstudio.domain.mask_layers import ALL_LAYERS, LayerName, MaskKind, MaskLayer, devices_of, set_layer
from limbstudio.formats.coco import read_annotations
from limbstudio.formats.limb_block import read_block
from limbstudio.formats.masks import person_mask
from limbstudio.images import open_photo
from limbstudio.services import masking, pipeline
from limbstudio.services.handing_over import masks_as_png
from limbstudio.services.studio import Studio

SIZE = (120, 160)
DEVICE = LayerName(MaskKind.PROSTHESIS, Limb.LEFT_LEG)
SQUARE = [(20.0, 30.0), (60.0, 30.0), (60.0, 90.0), (20.0, 90.0)]


class Quiet:
    """A job's context that nobody looks at."""

    def report(self, fraction: float, message: str) -> None:
        """Say nothing."""


@pytest.fixture
def studio(tmp_path: Path):
    Image.fromarray(np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)).save(tmp_path / "photo.png")
    studio = Studio(who="test", run_inline=True)
    studio.create(tmp_path / "masks.limb")
    studio.import_photos([tmp_path / "photo.png"])
    (photo,) = studio.photos
    studio.new_person(photo.sha256)
    yield studio
    studio.quit()


def person_of(studio: Studio):
    (photo,) = studio.photos
    (person,) = studio.people_in(photo.sha256)
    return person


def a_mask(*corner: int) -> np.ndarray:
    mask = np.zeros((SIZE[1], SIZE[0]), bool)
    mask[corner[0] : corner[0] + 40, corner[1] : corner[1] + 30] = True
    return mask


@pytest.mark.parametrize("shape", [(1, 1), (7, 8), (8, 7), (33, 65), (160, 120)])
def test_a_mask_as_png_is_read_back_by_others_bit_by_bit(shape):
    mask = np.random.default_rng(1).random(shape) > 0.5

    data = masks_as_png(mask)

    grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert np.array_equal(grey > 127, mask)
    assert set(np.unique(grey)) <= {0, 255}


@pytest.mark.parametrize("name", ALL_LAYERS)
def test_every_layer_is_kept_read_back_and_undone(studio, name):
    mask = a_mask(30, 20)

    studio.do(masking.kept_pixels(studio, person_of(studio), name, mask, "Brush"))

    assert np.array_equal(masking.read_layer(studio, person_of(studio), name), mask)
    assert masking.layers_there(studio.project, person_of(studio)) == (name,)
    studio.undo(person_of(studio).photo)
    assert not masking.read_layer(studio, person_of(studio), name).any()
    assert masking.layers_there(studio.project, person_of(studio)) == ()


def test_an_empty_layer_is_no_record(studio):
    studio.do(masking.kept_pixels(studio, person_of(studio), DEVICE, a_mask(1, 1), "Brush"))
    studio.do(masking.kept_pixels(studio, person_of(studio), DEVICE, a_mask(1, 1) & False, "Erase"))

    assert masking.layers_there(studio.project, person_of(studio)) == ()


def test_layers_survive_closing_and_opening(studio):
    studio.do(masking.kept_pixels(studio, person_of(studio), DEVICE, a_mask(30, 20), "Brush"))
    folder = studio.folder
    studio.close()
    studio.open(folder)

    assert np.array_equal(masking.read_layer(studio, person_of(studio), DEVICE), a_mask(30, 20))


def test_an_outline_stays_lines_until_the_layer_is_brushed(studio):
    studio.do(masking.with_polygon(studio, person_of(studio), LayerName(), SQUARE))
    person = person_of(studio)
    assert person.polygons == ((20.0, 30.0, 60.0, 30.0, 60.0, 90.0, 20.0, 90.0),)
    inside = masking.read_layer(studio, person, LayerName())
    assert inside[60, 40]
    assert not inside[60, 70]

    studio.do(masking.kept_pixels(studio, person, LayerName(), inside | a_mask(0, 80), "Brush"))

    assert person_of(studio).polygons == ()
    assert masking.read_layer(studio, person_of(studio), LayerName())[10, 90]


def test_a_hole_is_cut_in_lines_and_in_pixels(studio):
    hole = [(30.0, 40.0), (50.0, 40.0), (50.0, 60.0), (30.0, 60.0)]
    for brushed in (False, True):
        studio.do(masking.with_polygon(studio, person_of(studio), DEVICE, SQUARE))
        if brushed:
            mask = masking.read_layer(studio, person_of(studio), DEVICE)
            studio.do(masking.kept_pixels(studio, person_of(studio), DEVICE, mask, "Brush"))

        studio.do(masking.with_polygon(studio, person_of(studio), DEVICE, hole, is_hole=True))

        mask = masking.read_layer(studio, person_of(studio), DEVICE)
        assert not mask[50, 40]
        assert mask[80, 40]
        layer = masking.layer_record(studio.project, person_of(studio), DEVICE)
        assert layer is not None
        assert bool(layer.mask_file) is brushed
        studio.do(
            set_layer(person_of(studio), layer, MaskLayer(layer.person, layer.photo, *_kind(DEVICE)), "x")
        )


def _kind(name: LayerName):
    return name.kind, name.limb


def test_two_corners_are_no_outline(studio):
    with pytest.raises(KnownError, match="three corners"):
        masking.with_polygon(studio, person_of(studio), DEVICE, SQUARE[:2])


def test_a_prosthesis_lies_outside_the_body_that_a_fit_sees(studio):
    studio.do(masking.kept_pixels(studio, person_of(studio), LayerName(), a_mask(30, 20), "Brush"))
    (photo,) = studio.photos
    bare = pipeline.inputs_hash(person_of(studio), photo, studio.folder)
    studio.do(masking.kept_pixels(studio, person_of(studio), DEVICE, a_mask(50, 20), "Brush"))
    devices = devices_of(studio.project, person_of(studio))

    mask = pipeline.person_mask(person_of(studio), photo, studio.folder, devices)

    assert mask is not None
    assert mask[35, 30]
    assert not mask[60, 30]
    assert pipeline.inputs_hash(person_of(studio), photo, studio.folder, None, devices) != bare


def test_a_prosthesis_changes_nothing_where_there_is_no_mask(studio):
    (photo,) = studio.photos
    studio.do(masking.kept_pixels(studio, person_of(studio), DEVICE, a_mask(50, 20), "Brush"))
    devices = devices_of(studio.project, person_of(studio))

    assert pipeline.person_mask(person_of(studio), photo, studio.folder, devices) is None
    hashes = {pipeline.inputs_hash(person_of(studio), photo, studio.folder, None, d) for d in ((), devices)}
    assert len(hashes) == 1


def test_a_layer_of_another_size_is_refused_with_its_name(studio):
    name = studio.keep_mask(np.ones((5, 6), bool))
    person = person_of(studio)
    layer = MaskLayer(person.id, person.photo, MaskKind.PROSTHESIS, Limb.LEFT_LEG, name)
    studio.do(set_layer(person, None, layer, "x"))

    with pytest.raises(KnownError, match=r"left leg has 6 x 5 pixels, but the photo has 120 x 160"):
        masking.read_layer(studio, person_of(studio), DEVICE)


def test_grab_cut_finds_a_figure_on_a_ground_of_another_colour(studio):
    rng = np.random.default_rng(0)
    figure = np.zeros((800, 600), np.uint8)
    cv2.ellipse(figure, (300, 300), (70, 200), 0, 0, 360, 1, -1)
    cv2.line(figure, (270, 450), (260, 700), 1, 45)
    cv2.line(figure, (330, 450), (340, 700), 1, 45)
    truth = figure.astype(bool)
    pixels = np.where(truth[..., None], (200, 120, 90), (60, 110, 70)) + rng.normal(0, 12, (800, 600, 3))
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    person = person_of(studio)
    places = {"left_shoulder": (340, 180), "right_shoulder": (260, 180), "left_hip": (325, 440),
              "right_hip": (275, 440), "left_knee": (335, 570), "right_knee": (265, 570),
              "left_ankle": (340, 690), "right_ankle": (260, 690)}  # fmt: skip
    for joint, at in places.items():
        person = edits.place_point(person, LDPOSE_INDEX[joint], *at).changes[0].after
    for box in (Box(200, 90, 200, 640), None):
        person = edits.set_box(person, box).changes[0].after if box else person

        found = masking.grab_cut(Quiet(), pixels, person, (600, 800))

        overlap = (found & truth).sum() / (found | truth).sum()
        assert overlap > 0.95
        assert np.array_equal(found, masking.grab_cut(Quiet(), pixels, person, (600, 800)))


def test_grab_cut_without_box_or_points_says_what_to_do(studio):
    with pytest.raises(KnownError, match="no box") as refused:
        masking.grab_cut(Quiet(), np.zeros((50, 50, 3), np.uint8), person_of(studio), (50, 50))
    assert "Draw one" in refused.value.hint


def test_layers_go_out_with_an_export_and_come_back_with_an_import(studio, tmp_path):
    studio.do(masking.kept_pixels(studio, person_of(studio), LayerName(), a_mask(30, 20), "Brush"))
    studio.do(masking.kept_pixels(studio, person_of(studio), DEVICE, a_mask(50, 20), "Brush"))
    studio.do(masking.with_polygon(studio, person_of(studio), LayerName(MaskKind.OCCLUDER), SQUARE))
    before = {name: masking.read_layer(studio, person_of(studio), name) for name in ALL_LAYERS}
    file = studio.export_annotations(tmp_path / "out" / "all.json").result
    studio.close()
    studio.create(tmp_path / "again.limb")

    report = studio.import_annotations(file, tmp_path).result

    assert not report.refused
    after = {name: masking.read_layer(studio, person_of(studio), name) for name in ALL_LAYERS}
    for name in ALL_LAYERS:
        assert np.array_equal(before[name], after[name]), name
    (annotated,) = read_annotations(file).people
    mask = person_mask(annotated, open_photo(tmp_path / "photo.png"), folder=file.parent)
    assert np.array_equal(mask, before[LayerName()] & ~before[DEVICE])


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ({"kind": "prosthesis", "mask_file": "a.png"}, "no mask layer"),
        ({"kind": "occluder", "limb": "left_leg", "mask_file": "a.png"}, "no mask layer"),
        ({"kind": "person", "mask_file": "a.png"}, "no mask layer"),
        ({"kind": "shoe", "mask_file": "a.png"}, "shoe"),
        ({"kind": "occluder"}, "mask_file"),
        (7, "7"),
    ],
)
def test_a_layer_that_cannot_be_is_refused(layer, words):
    with pytest.raises(KnownError, match=words):
        read_block({"mask_layers": [layer]}, [])
