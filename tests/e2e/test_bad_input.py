"""Files that are damaged, traps, or contradict themselves: read rightly, or refused with a sentence; nothing
else.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from limbstudio.domain.anatomy import LDPOSE_INDEX, LDPOSE_NAMES
from limbstudio.domain.errors import KnownError
from limbstudio.images import open_photo
from limbstudio.services.evaluating import evaluate_photos
from limbstudio.services.reconstructing import ReconstructOptions, reconstruct_photos

_MOST_SECONDS = 5.0  # for one file
_MOST_BYTES = 2_000_000_000

# A standing person in shares of the picture: LDPose-25 order, the 17 COCO points.
STANDING = (
    (0.50, 0.12), (0.515, 0.105), (0.485, 0.105), (0.53, 0.115), (0.47, 0.115), (0.58, 0.24), (0.42, 0.24),
    (0.62, 0.38), (0.38, 0.38), (0.64, 0.50), (0.36, 0.50), (0.55, 0.52), (0.45, 0.52), (0.555, 0.72),
    (0.445, 0.72), (0.56, 0.92), (0.44, 0.92),
)  # fmt: skip


def person_in(image_id: int, width: float, height: float, **more: object) -> dict:
    """Return a COCO annotation of a standing person who fills a picture of this size."""
    keypoints = [number for x, y in STANDING for number in (x * (width - 1), y * (height - 1), 2)]
    box = [0.3 * width, 0.05 * height, 0.4 * width, 0.9 * height]
    return {
        "id": image_id, "image_id": image_id, "category_id": 1, "iscrowd": 0, "bbox": box, "area": box[2] * box[3],
        "keypoints": keypoints + [0] * 24, "num_keypoints": 17, **more,
    }  # fmt: skip


@pytest.fixture
def one_photo(tmp_path, sample_photos, coco_file):
    """Return a function that annotates a good photo (and another bad entry) and writes the file."""
    good = sample_photos[0]
    photo = open_photo(good)
    image = {"id": 1, "file_name": good.name, "width": photo.width, "height": photo.height}

    def write(*annotations: dict, images: tuple[dict, ...] = ()) -> Path:
        return coco_file(tmp_path / "coco.json", [image, *images], list(annotations))

    return good, photo, write


# ------------------------------------------------------------------------------------------------ annotations

BLOCK = {"schema_version": 1}
INTACT = {"left_arm": "intact", "right_arm": "intact", "left_leg": "intact", "right_leg": "intact"}


def states(**other: str) -> list[str]:
    return [other.get(name, "visible" if i < 17 else "absent") for i, name in enumerate(LDPOSE_NAMES)]


def broken_keypoints(keypoints: list, index: int, *numbers: object) -> list:
    return [*keypoints[: 3 * index], *numbers, *keypoints[3 * index + 3 :]]


CHANGES = {
    "NaN as a coordinate": lambda a: {"keypoints": broken_keypoints(a["keypoints"], 0, float("nan"), 5, 2)},
    "infinity as a coordinate": lambda a: {
        "keypoints": broken_keypoints(a["keypoints"], 3, float("inf"), 5, 2)
    },
    "a word as a coordinate": lambda a: {"keypoints": broken_keypoints(a["keypoints"], 3, "left", 5, 2)},
    "too few numbers": lambda a: {"keypoints": a["keypoints"][:40]},
    "no usable point": lambda a: {"keypoints": [0] * 75},
    "one usable point": lambda a: {"keypoints": [100, 100, 2] + [0] * 72},
    "two points in one place": lambda a: {"keypoints": [100, 100, 2] * 2 + [0] * 69},
    "all points in one place": lambda a: {"keypoints": [100, 100, 2] * 17 + [0] * 24},
    "a level that does not exist": lambda a: {
        "limbstudio": {**BLOCK, "limb_state": {**INTACT, "left_leg": "thigh"}}
    },
    "a leg's level on an arm": lambda a: {
        "limbstudio": {**BLOCK, "limb_state": {**INTACT, "left_arm": "transtibial"}}
    },
    "a limb that does not exist": lambda a: {
        "limbstudio": {**BLOCK, "limb_state": {**INTACT, "tail": "intact"}}
    },
    "a state that does not exist": lambda a: {"limbstudio": {**BLOCK, "keypoint_state": states(nose="seen")}},
    "a knee that a transfemoral leg has": lambda a: {
        "limbstudio": {
            **BLOCK,
            "limb_state": {**INTACT, "left_leg": "transfemoral"},
            "keypoint_state": states(),
        }
    },
    "a stature of two metres in metres": lambda a: {"limbstudio": {**BLOCK, "stature_mm": 2}},
    "a focal length of zero": lambda a: {"limbstudio": {**BLOCK, "focal_px": 0}},
    "a posture that does not exist": lambda a: {"limbstudio": {**BLOCK, "posture": "flying"}},
    "a mask that does not exist": lambda a: {"limbstudio": {**BLOCK, "mask_file": "nowhere.png"}},
    "a mask in another folder": lambda a: {"limbstudio": {**BLOCK, "mask_file": "../../../etc/passwd"}},
    "a block from the future": lambda a: {"limbstudio": {"schema_version": 99}},
    "a block that is a list": lambda a: {"limbstudio": [1, 2]},
    "an image that is not there": lambda a: {"image_id": 77},
    "a category that is not there": lambda a: {"category_id": 9},
    "an id that leaves the folder": lambda a: {"id": "../../x"},
    "points outside the picture": lambda a: {
        "keypoints": [n + 1e5 if i % 3 < 2 else n for i, n in enumerate(a["keypoints"])]
    },
    "points far behind the edge": lambda a: {
        "keypoints": [-n if i % 3 == 0 else n for i, n in enumerate(a["keypoints"])]
    },
    "a box of no height": lambda a: {"bbox": [10, 10, 0, 0]},
    "a box of NaN": lambda a: {"bbox": [float("nan")] * 4},
    "a polygon of one point": lambda a: {"segmentation": [[5, 5]]},
    "a run-length mask of another size": lambda a: {"segmentation": {"size": [3, 3], "counts": [0, 9]}},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_bad_annotation_is_refused_with_a_sentence_and_the_others_go_on(one_photo, tmp_path, name):
    photo, loaded, write = one_photo
    good = person_in(1, loaded.width, loaded.height)
    bad = {**person_in(1, loaded.width, loaded.height), "id": 2}
    file = write({**bad, **CHANGES[name](bad)}, good)

    start = time.monotonic()
    result = reconstruct_photos([photo], file, tmp_path / "out", ReconstructOptions(pictures=False))
    seconds = time.monotonic() - start

    assert seconds < 2 * _MOST_SECONDS
    assert {o.annotation: o.state for o in result.outcomes}["1"] == "made"
    for outcome in result.outcomes:
        if outcome.state == "refused":
            assert outcome.message.endswith((".", "!", "?"))
            assert outcome.hint
        else:
            fit = json.loads((Path(str(outcome.folder)) / "fit.json").read_text(encoding="utf-8"))
            assert np.isfinite(list(fit["joints"].values())).all()
            assert fit["mesh"]["watertight"] is True


@pytest.mark.parametrize(
    "name",
    [
        "no usable point",
        "one usable point",
        "all points in one place",
        "NaN as a coordinate",
        "a level that does not exist",
        "a focal length of zero",
    ],
)
def test_what_cannot_be_right_is_refused(one_photo, limbstudio, tmp_path, name):
    photo, loaded, write = one_photo
    bad = person_in(1, loaded.width, loaded.height)
    file = write({**bad, **CHANGES[name](bad)})

    ended = limbstudio("reconstruct", photo, "--annotations", file, "--out", tmp_path / "out")

    assert ended.code == 2
    assert "refused" in ended.out
    assert not list((tmp_path / "out").glob("*_1"))


def test_bad_annotations_are_refused_by_evaluate_and_the_others_are_scored(one_photo, limbstudio, tmp_path):
    photo, loaded, write = one_photo
    good = person_in(1, loaded.width, loaded.height)
    bad = [{**good, "id": number, **change(good)} for number, change in enumerate(CHANGES.values(), 2)]
    file = write(good, *bad)
    start = time.monotonic()

    ended = limbstudio(
        "evaluate", "--annotations", file, "--photos", photo.parent, "--out", tmp_path / "out",
        "--modes", "joint", "--json",
    )  # fmt: skip

    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert time.monotonic() - start < _MOST_SECONDS * len(CHANGES)
    scores = {person["name"]: person for person in ended.json["people"]}
    assert scores[f"{photo.stem}_1"]["metrics"]["intact_error_px"] < 50
    for score in scores.values():
        assert score["metrics"] or score["refusal"].endswith(".")
    for unread in ended.json["unread"]:
        assert unread["why"].strip().endswith((".", "!", "?")), unread
    refused = [score for score in scores.values() if not score["metrics"]]
    assert len(scores) + len(ended.json["unread"]) >= 1 + len(CHANGES)
    assert len(refused) + len(ended.json["unread"]) >= 15  # most of them cannot be right
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert all(unread["why"] in text for unread in ended.json["unread"])


def test_another_size_than_the_photo_has_is_refused(one_photo, limbstudio, tmp_path, coco_file):
    photo, loaded, _ = one_photo
    image = {"id": 1, "file_name": photo.name, "width": loaded.width * 2, "height": loaded.height * 2}
    file = coco_file(tmp_path / "coco.json", [image], [person_in(1, loaded.width, loaded.height)])

    ended = limbstudio("reconstruct", photo, "--annotations", file, "--out", tmp_path / "out")

    assert ended.code == 2
    assert str(loaded.width) in ended.out
    assert str(loaded.width * 2) in ended.out


def test_a_misspelt_keypoint_name_is_pointed_out(one_photo, limbstudio, tmp_path):
    photo, loaded, write = one_photo
    file = write(person_in(1, loaded.width, loaded.height))
    document = json.loads(file.read_text(encoding="utf-8"))
    document["categories"][0]["keypoints"][LDPOSE_INDEX["left_knee"]] = "left_kene"
    file.write_text(json.dumps(document), encoding="utf-8")

    ended = limbstudio("reconstruct", photo, "--annotations", file, "--out", tmp_path / "out")

    assert ended.code == 2
    assert "left_kene" in ended.out
    assert "left_knee" in ended.out


def test_photos_that_are_not_there_are_refused_and_the_others_go_on(one_photo, limbstudio, tmp_path):
    photo, loaded, write = one_photo
    gone = {"id": 5, "file_name": "gone.jpg", "width": 100, "height": 100}
    file = write(person_in(1, loaded.width, loaded.height), person_in(5, 100, 100), images=(gone,))
    misspelt = photo.with_name(photo.name[:-5] + "x.jpg")
    command = ("reconstruct", tmp_path / "gone.jpg", misspelt, photo, "--annotations", file)

    ended = limbstudio(*command, "--out", tmp_path / "out", "--json")

    states = {(p["photo"], p["annotation"]): p["state"] for p in ended.json["people"]}
    assert states[photo.name, "1"] == "made"
    assert states["gone.jpg", "5"] == "refused"
    assert states[misspelt.name, None] == "refused"
    hints = {p["photo"]: p["hint"] for p in ended.json["people"]}
    assert photo.name in hints[misspelt.name]
    assert ended.code == 2


def test_evaluate_names_photos_that_are_not_there_and_scores_the_others(one_photo, limbstudio, tmp_path):
    photo, loaded, write = one_photo
    others = (
        {"id": 5, "file_name": "gone.jpg", "width": 100, "height": 100},
        {"id": 6, "file_name": "../../etc/passwd", "width": 100, "height": 100},
        {"id": 7, "file_name": f"{photo.stem}.png", "width": 100, "height": 100},
    )
    people = [person_in(1, loaded.width, loaded.height), *(person_in(i, 100, 100) for i in (5, 6, 7))]
    command = ("evaluate", "--annotations", write(*people, images=others), "--out", tmp_path / "out")

    ended = limbstudio(*command, "--photos", photo.parent, "--modes", "intact", "--json")
    nobody = limbstudio(*command, "--photos", tmp_path, "--modes", "intact", "--json")
    nowhere = limbstudio(*command, "--photos", tmp_path / "nowhere")

    assert ended.code == nobody.code == nowhere.code == 2
    assert [person["name"] for person in ended.json["people"]] == [f"{photo.stem}_1"]
    assert [unread["what"] for unread in ended.json["unread"]] == [other["file_name"] for other in others]
    assert "can be scored" in nobody.json["error"]["message"]
    assert "nowhere" in nowhere.err


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"images": 5}', "\ufeff{}", "[" * 100_000, '{"images": [NaN]}', "\0\0\0"]
)
@pytest.mark.parametrize("command", ["reconstruct", "evaluate"])
def test_a_file_that_is_no_annotation_is_refused_with_a_sentence(
    limbstudio, tmp_path, sample_photos, text, command
):
    file = tmp_path / "coco.json"
    file.write_text(text, encoding="utf-8")
    photos = [sample_photos[0]] if command == "reconstruct" else ["--photos", sample_photos[0].parent]

    ended = limbstudio(command, *photos, "--annotations", file, "--out", tmp_path / "out")

    assert ended.code == 2
    assert "coco.json" in ended.out + ended.err
    assert "Traceback" not in ended.err


def test_evaluate_refuses_every_json_of_the_awkward_folder_with_a_sentence(
    shared_data, limbstudio, tmp_path, samples
):
    for path in sorted((shared_data / "real" / "awkward" / "json").iterdir()):
        command = ("evaluate", "--annotations", path, "--photos", samples, "--out", tmp_path / "out")

        ended = limbstudio(*command, "--modes", "intact", "--json")

        assert ended.code == 2, path.name
        assert ended.json["error"]["message"], path.name
        assert "Traceback" not in ended.err, path.name


def test_every_json_of_the_awkward_folder_is_refused_with_a_sentence(
    shared_data, limbstudio, tmp_path, sample_photos
):
    for path in sorted((shared_data / "real" / "awkward" / "json").iterdir()):
        ended = limbstudio(
            "reconstruct", sample_photos[0], "--annotations", path, "--out", tmp_path / "out", "--json"
        )

        assert ended.code == 2, path.name
        assert ended.json["error"]["message"], path.name
        assert "Traceback" not in ended.err, path.name


# ---------------------------------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--stature-mm", "1.7"), "millimetres"),
        (("--stature-mm", "nan"), "stature"),
        (("--focal-px", "-5"), "focal length"),
        (("--mask", "nowhere.png"), "nowhere.png"),
        (("--body", "nowhere.npz"), "nowhere.npz"),
        (("--resume", "--overwrite"), "contradict"),
        (("--mode", "papers"), "papers"),
        (("--posture", "flying"), "flying"),
    ],
)
def test_a_bad_option_is_named(samples, sample_photos, limbstudio, tmp_path, arguments, words):
    command = ("reconstruct", sample_photos[0], "--annotations", samples / "annotations.json")

    ended = limbstudio(*command, "--out", tmp_path / "out", *arguments)

    assert ended.code == 2
    assert words in ended.out + ended.err


def test_a_gpu_that_is_not_there_is_named(samples, sample_photos, limbstudio, tmp_path, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    command = ("reconstruct", sample_photos[0], "--annotations", samples / "annotations.json")

    ended = limbstudio(*command, "--out", tmp_path / "out", "--device", "cuda")

    assert ended.code == 2
    assert "CUDA" in ended.err


def test_a_mask_of_another_size_is_refused(samples, sample_photos, limbstudio, tmp_path):
    other = sorted(samples.glob("*_mask.png"))
    command = ("reconstruct", sample_photos[0], "--annotations", samples / "annotations.json")
    size = (open_photo(sample_photos[0]).width, open_photo(sample_photos[0]).height)
    wrong = next(path for path in other if (open_photo(path).width, open_photo(path).height) != size)

    ended = limbstudio(*command, "--out", tmp_path / "out", "--mask", wrong)

    assert ended.code == 2
    assert wrong.name in ended.out


# ------------------------------------------------------------------------------------------------------ disks


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, where nobody can make a folder")
def test_a_folder_that_cannot_be_written_to_is_refused(samples, sample_photos, limbstudio):
    command = ("reconstruct", sample_photos[0], "--annotations", samples / "annotations.json")

    ended = limbstudio(*command, "--out", "/proc/limbstudio")

    assert ended.code == 2
    assert "/proc/limbstudio" in ended.err


def test_a_disk_that_fills_up_leaves_no_half_folder(samples, sample_photos, tmp_path):
    # No file may grow over 100 kB: the meshes cannot be written, as on a full disk.
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = [sys.executable, "-m", "limbstudio", "reconstruct", str(sample_photos[0]), "--annotations"]
    command += [str(samples / "annotations.json"), "--out", str(tmp_path / "out"), "--json"]

    done = subprocess.run(
        command, capture_output=True, text=True, timeout=110, check=False, preexec_fn=limited
    )

    assert done.returncode == 2, done.stderr
    person = json.loads(done.stdout)["people"][0]
    assert person["state"] == "refused"
    assert person["hint"]
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, where nobody can make a folder")
def test_a_report_that_cannot_be_written_is_refused(samples, limbstudio, tmp_path):
    command = ("evaluate", "--annotations", samples / "annotations.json", "--photos", samples)
    in_the_way = tmp_path / "file"
    in_the_way.touch()

    forbidden = limbstudio(*command, "--out", "/proc/limbstudio")
    not_a_folder = limbstudio(*command, "--out", in_the_way)

    assert forbidden.code == not_a_folder.code == 2
    assert "/proc/limbstudio" in forbidden.err
    assert str(in_the_way) in not_a_folder.err


def test_a_disk_that_fills_up_leaves_no_half_report(samples, sample_document, coco_file, tmp_path):
    # No file may grow over a kilobyte: the report cannot be written, as on a full disk.
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    image, person = sample_document["images"][0], sample_document["annotations"][0]
    file = coco_file(tmp_path / "one.json", [image], [{k: person[k] for k in person if k != "limbstudio"}])
    command = [sys.executable, "-m", "limbstudio", "evaluate", "--annotations", str(file)]
    command += ["--photos", str(samples), "--out", str(tmp_path / "out"), "--modes", "intact"]

    done = subprocess.run(
        command, capture_output=True, text=True, timeout=110, check=False, preexec_fn=limited
    )

    assert done.returncode == 2, done.stderr
    assert "report.md" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


# -------------------------------------------------------------------------------------- pictures of all kinds


def awkward_pictures(folder: Path) -> list[Path]:
    return sorted(
        p
        for p in folder.rglob("*")
        if p.is_file() and p.parent.name not in ("json", "mesh") and p.suffix != ".md"
    )


@pytest.fixture(scope="module")
def awkward(shared_data, tmp_path_factory, coco_file):
    """Annotate a person in each awkward picture; return the folder, the file, the pictures, and the sizes of
    those that can be read.
    """
    root = shared_data / "real" / "awkward"
    pictures = awkward_pictures(root)
    images, annotations, sizes = [], [], {}
    for number, path in enumerate(pictures, 1):
        try:
            photo = open_photo(path)
            sizes[path] = (photo.width, photo.height)
        except KnownError:
            pass
        images.append({"id": number, "file_name": f"{path.parent.name}/{path.name}"})
        annotations.append(person_in(number, *sizes.get(path, (100, 100))))
    file = coco_file(tmp_path_factory.mktemp("awkward") / "coco.json", images, annotations)
    return root, file, pictures, sizes


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_evaluate_scores_every_picture_of_the_awkward_folder_or_says_why_not(awkward, tmp_path):
    root, file, pictures, sizes = awkward
    times = [time.monotonic()]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    result = evaluate_photos(
        file, root, tmp_path / "out", modes=["intact"],
        report=lambda fraction, sentence: times.append(time.monotonic()),
    )  # fmt: skip

    scores = {int(score.name.rsplit("_", 1)[1]): score for score in result.scores}
    unread = dict(result.unread)
    assert result.refused
    for number, path in enumerate(pictures, 1):
        if path not in sizes:
            why = unread[f"{path.parent.name}/{path.name}"]
        elif min(sizes[path]) >= 64:
            assert scores[number].metrics is not None, path.name
            continue
        else:
            why = scores[number].refusal or "."
        assert why.endswith("."), path.name
    assert max(np.diff(times)) < 2 * _MOST_SECONDS  # one person, and unreadable files before
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) * 1024 < _MOST_BYTES


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_picture_of_the_awkward_folder_is_read_rightly_or_refused(awkward, tmp_path):
    _, file, pictures, sizes = awkward
    times = [time.monotonic()]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    result = reconstruct_photos(
        pictures, file, tmp_path / "out", ReconstructOptions(pictures=False),
        done=lambda outcome: times.append(time.monotonic()),
    )  # fmt: skip

    by_id = {outcome.annotation: outcome for outcome in result.outcomes}
    assert len(by_id) == len(pictures)
    for number, path in enumerate(pictures, 1):
        outcome = by_id[str(number)]
        if path not in sizes:
            assert outcome.state == "refused", path.name
        elif min(sizes[path]) >= 64:
            assert outcome.state == "made", (path.name, outcome.message)
        if outcome.state == "refused":
            assert outcome.message.endswith("."), outcome.message
            assert outcome.hint, outcome.message
    assert max(np.diff(times)) < _MOST_SECONDS
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) * 1024 < _MOST_BYTES


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_body_stands_upright_in_every_exif_orientation(shared_data, tmp_path, coco_file, orientation):
    path = shared_data / "real" / "awkward" / "exif_orientation" / f"Landscape_{orientation}.jpg"
    if not path.is_file():
        pytest.skip(f"{path.name} is not among the shared files")
    image = {"id": 1, "file_name": path.name, "width": 1800, "height": 1200}
    file = coco_file(tmp_path / "coco.json", [image], [person_in(1, 1800, 1200)])

    result = reconstruct_photos([path], file, tmp_path / "out", ReconstructOptions(pictures=False))

    fit = json.loads((Path(str(result.outcomes[0].folder)) / "fit.json").read_text(encoding="utf-8"))
    assert fit["camera"]["size_px"] == [1800, 1200]
    assert fit["joints"]["head"][1] < fit["joints"]["pelvis"][1] < fit["joints"]["left_ankle"][1]
