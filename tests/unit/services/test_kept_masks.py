"""Masks in a project's files: strokes write what they change, and all who read a mask get the same pixels."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limbstudio.domain import edits
from limbstudio.domain.anatomy import Limb
from limbstudio.domain.errors import KnownError
from limbstudio.domain.mask_layers import LayerName, MaskKind, devices_of
from limbstudio.services import backups, compacting, kept_masks, masking, pipeline
from limbstudio.services.checking import check
from limbstudio.services.handing_over import masks_as_png
from limbstudio.services.masking import Drawn
from limbstudio.services.repairing import repair
from limbstudio.services.studio import Studio

WIDTH, HEIGHT = 1100, 900
PERSON, DEVICE = LayerName(), LayerName(MaskKind.PROSTHESIS, Limb.LEFT_LEG)


@pytest.fixture
def studio(tmp_path: Path):
    Image.fromarray(np.full((HEIGHT, WIDTH, 3), 90, np.uint8)).save(tmp_path / "photo.png")
    studio = Studio(who="test", run_inline=True)
    studio.create(tmp_path / "masks.limb")
    studio.import_photos([tmp_path / "photo.png"])
    studio.new_person(studio.photos[0].sha256)
    yield studio
    studio.quit()


@pytest.fixture(autouse=True)
def _nothing_remembered():
    kept_masks.recent.clear()


def person_of(studio: Studio):
    (person,) = studio.people_in(studio.photos[0].sha256)
    return person


def body() -> np.ndarray:
    y, x = np.ogrid[:HEIGHT, :WIDTH]
    return ((x - 550) / 500) ** 2 + ((y - 450) / 400) ** 2 <= 1


def paint(
    studio: Studio, mask: np.ndarray, box, *, value: bool = True, name: LayerName = PERSON
) -> np.ndarray:
    """Make a stroke as the window makes it, and return the mask after it."""
    on = masking.layer_record(studio.project, person_of(studio), name)
    left, top, right, bottom = box
    mask = mask.copy()
    mask[top:bottom, left:right] = value
    studio.do(masking.kept_pixels(studio, person_of(studio), name, mask, "Brush", drawn=Drawn(on, box)))
    return mask


def keep(studio: Studio, mask: np.ndarray, name: LayerName = PERSON) -> None:
    studio.do(masking.kept_pixels(studio, person_of(studio), name, mask, "Outline"))


def shown(studio: Studio, name: LayerName = PERSON) -> np.ndarray:
    """Return a layer as it is read from the disk."""
    kept_masks.recent.clear()
    return masking.read_layer(studio, person_of(studio), name)


def blobs(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in (folder / "blobs").iterdir()}


def strokes(studio: Studio) -> list[np.ndarray]:
    """Draw a body and strokes at its edge; return the mask after each."""
    keep(studio, body())
    states = [body()]
    for n, box in enumerate(
        ((40, 430, 60, 450), (1030, 400, 1060, 440), (540, 40, 560, 60), (45, 440, 70, 470))
    ):
        states.append(paint(studio, states[-1], box, value=n % 2 == 0))
    return states


def saved(studio: Studio) -> Path:
    """Close the project and return its folder."""
    folder = studio.folder
    assert folder is not None
    studio.close()
    return folder


def test_a_stroke_writes_less_than_the_mask_and_undo_and_redo_write_nothing(studio):
    keep(studio, body())
    studio.finish_saving()
    folder = saved(studio)
    studio.open(folder)
    before = blobs(folder)

    states = [body(), paint(studio, body(), (40, 430, 60, 450))]
    folder = saved(studio)
    after = blobs(folder)
    studio.open(folder)

    (new,) = after.keys() - before.keys()
    assert after[new] < sum(before.values()) / 4
    photo = studio.photos[0].sha256
    for _ in range(2):
        studio.undo(photo)
        assert np.array_equal(shown(studio), states[0])
        studio.redo(photo)
        assert np.array_equal(shown(studio), states[1])
    assert blobs(saved(studio)) == after


def test_every_state_of_a_session_comes_back_by_undo(studio):
    states = strokes(studio)
    assert len(kept_masks.blobs_of(person_of(studio).mask_file)) > 1
    studio.open(saved(studio))

    for state in states[::-1]:
        assert np.array_equal(shown(studio), state)
        studio.undo(studio.photos[0].sha256)
    assert person_of(studio).mask_file is None


def test_a_stroke_that_changes_nothing_is_no_edit(studio):
    keep(studio, body())

    edit = masking.kept_pixels(
        studio, person_of(studio), PERSON, body(), "Brush", drawn=Drawn(_record(studio), (500, 400, 600, 500))
    )

    assert studio.do(edit) is None
    assert studio.do(masking.kept_pixels(studio, person_of(studio), PERSON, body(), "Brush")) is None


def _record(studio: Studio):
    return masking.layer_record(studio.project, person_of(studio), PERSON)


def test_a_stroke_on_what_was_replaced_meanwhile_keeps_what_its_maker_saw(studio):
    keep(studio, body())
    on = _record(studio)
    keep(studio, ~body())  # as a job that ended during the stroke leaves it
    mask = body()
    mask[430:450, 40:60] = True

    studio.do(
        masking.kept_pixels(
            studio, person_of(studio), PERSON, mask, "Brush", drawn=Drawn(on, (40, 430, 60, 450))
        )
    )

    assert np.array_equal(shown(studio), mask)


def test_a_stroke_on_lines_and_one_on_nothing_keep_what_is_seen(studio):
    corners = [(100.0, 100.0), (900.0, 100.0), (900.0, 800.0)]
    studio.do(masking.with_polygon(studio, person_of(studio), PERSON, corners))
    lines = shown(studio)

    drawn = paint(studio, lines, (10, 10, 30, 30))
    device = paint(studio, lines & False, (300, 300, 340, 320), name=DEVICE)

    assert np.array_equal(shown(studio), drawn)
    assert np.array_equal(shown(studio, DEVICE), device)


def test_a_mask_kept_as_a_picture_reads_as_before_and_goes_on_as_tiles(studio, tmp_path):
    store, _ = studio._opened()
    picture = f"blobs/{store.put_blob(masks_as_png(body()))}"
    person = person_of(studio)
    studio.do(edits.change_person(person, replace(person, mask_file=picture), "Import"))
    folder = saved(studio)
    text = (folder / picture).read_bytes()
    studio.open(folder)

    photo = studio.photos[0]
    assert np.array_equal(shown(studio), body())
    assert np.array_equal(pipeline.person_mask(person_of(studio), photo, folder), body())
    assert masking.mask_as_png(studio, person_of(studio)) == text
    drawn = paint(studio, body(), (40, 430, 60, 450))
    assert np.array_equal(shown(studio), drawn)
    studio.undo(photo.sha256)
    assert person_of(studio).mask_file == picture
    assert np.array_equal(shown(studio), body())
    assert check(saved(studio)).problems == ()


def test_fits_and_exports_read_what_is_shown(studio, tmp_path):
    mask = strokes(studio)[-1]
    device = np.zeros_like(mask)
    device[600:700, 300:420] = True
    keep(studio, device, DEVICE)
    device = paint(studio, device, (300, 690, 330, 740), name=DEVICE)
    file = studio.export_annotations(tmp_path / "out" / "all.json").result
    person, photo, devices = (
        person_of(studio),
        studio.photos[0],
        devices_of(studio.project, person_of(studio)),
    )
    folder = saved(studio)
    kept_masks.recent.clear()

    fitted = pipeline.person_mask(person, photo, folder, devices)

    assert np.array_equal(fitted, mask & ~device)
    block = json.loads(file.read_text())["annotations"][0]["limbstudio"]
    assert np.array_equal(np.asarray(Image.open(file.parent / block["mask_file"])), mask * np.uint8(255))
    (layer,) = block["mask_layers"]
    assert np.array_equal(np.asarray(Image.open(file.parent / layer["mask_file"])) > 0, device)


def test_what_changes_the_pixels_makes_a_fit_stale_and_undo_makes_it_fresh(studio):
    keep(studio, body())
    photo = studio.photos[0]
    first = pipeline.inputs_hash(person_of(studio), photo, studio.folder)

    paint(studio, body(), (40, 430, 60, 450))

    assert pipeline.inputs_hash(person_of(studio), photo, studio.folder) != first
    studio.undo(photo.sha256)
    assert pipeline.inputs_hash(person_of(studio), photo, studio.folder) == first


def test_compacting_keeps_every_file_of_a_mask_and_lets_go_of_undone_strokes(studio):
    mask = strokes(studio)[-1]
    paint(studio, mask, (900, 800, 960, 860))
    undone = set(kept_masks.blobs_of(person_of(studio).mask_file))
    studio.undo(studio.photos[0].sha256)
    kept = set(kept_masks.blobs_of(person_of(studio).mask_file))
    folder = saved(studio)

    done = compacting.compact(folder)

    assert set(done.plan.blobs) == undone - kept
    assert kept <= blobs(folder).keys()
    assert check(folder).problems == ()
    studio.open(folder)
    assert np.array_equal(shown(studio), mask)


@pytest.mark.parametrize("which", [0, -1])
def test_a_file_of_a_mask_that_is_gone_is_found_by_a_check_and_said_in_words(studio, which):
    strokes(studio)
    lost = kept_masks.blobs_of(person_of(studio).mask_file)[which]
    folder = saved(studio)
    (folder / "blobs" / lost).unlink()

    assert any(lost[:12] in problem and "gone" in problem for problem in check(folder).problems)
    studio.open(folder)
    with pytest.raises(KnownError, match="cannot be read"):
        shown(studio)


def test_drawing_over_a_mask_whose_files_are_gone_keeps_what_is_drawn(studio):
    strokes(studio)
    on, folder = _record(studio), saved(studio)
    for name in kept_masks.blobs_of(on.mask_file):
        (folder / "blobs" / name).unlink()
    studio.open(folder)
    kept_masks.recent.clear()

    keep(studio, body())

    assert np.array_equal(shown(studio), body())


def test_a_repaired_a_restored_and_a_copied_project_show_the_same_mask(studio, tmp_path):
    mask = strokes(studio)[-1]
    folder = saved(studio)
    repair(folder, tmp_path / "repaired.limb")
    backups.restore(backups.make_of(folder).path, tmp_path / "restored.limb")
    shutil.copytree(folder, tmp_path / "copied.limb")

    for name in ("repaired", "restored", "copied"):
        studio.open(tmp_path / f"{name}.limb")
        assert np.array_equal(shown(studio), mask), name
        assert check(saved(studio)).problems == (), name


def test_two_people_merged_have_the_mask_of_the_one_that_had_one(studio):
    from limbstudio.domain.people_edits import merge_people

    mask = strokes(studio)[-1]
    one, other = person_of(studio), studio.new_person(studio.photos[0].sha256)

    studio.do(merge_people(other, one))

    (merged,) = studio.people_in(studio.photos[0].sha256)
    assert merged.mask_file == one.mask_file
    assert np.array_equal(shown(studio), mask)


def test_a_shown_mask_becomes_another_state_where_they_differ(studio):
    states = strokes(studio)
    names = []
    for _ in states:
        names.append(person_of(studio).mask_file or "")
        shown(studio)
        studio.undo(studio.photos[0].sha256)
    names.reverse()
    kept_masks.recent.clear()
    pixels = states[0].copy()
    assert kept_masks.show_change(pixels, names[0], names[-1]) is None  # it would have to be read

    for name in names:
        kept_masks.read_kept(name, studio.read_blob)
    parts = kept_masks.show_change(pixels, names[0], names[-1])

    assert np.array_equal(pixels, states[-1])
    assert parts is not None
    outside = np.ones_like(pixels)
    for left, top, right, bottom in parts:
        outside[top:bottom, left:right] = False
    assert outside.mean() > 0.5
    assert not (states[0] ^ states[-1])[outside].any()
    assert kept_masks.show_change(pixels[:-1], names[0], names[-1]) is None
