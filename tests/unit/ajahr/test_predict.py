"""From annotated people to bodies: files of weights, frames, and fits that begin with a prediction."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from limbstudio.ajahr.build import build_studio
from limbstudio.ajahr.keypoint_network import KeypointAjahr, KeypointBody, SeenPeople
from limbstudio.ajahr.network import BodyEstimate
from limbstudio.ajahr.predict import (
    Predictor,
    collapsed,
    guessed_fit,
    load_network,
    predicted_person,
    shipped_weights,
)
from limbstudio.body.kinematics import rotation_matrices
from limbstudio.body.model import BodyModel
from limbstudio.cameras import choose_camera
from limbstudio.domain.anatomy import LDPOSE_INDEX, SMPLX_INDEX
from limbstudio.domain.body import BodyFit
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera, Point
from limbstudio.domain.photo import Person
from limbstudio.formats.coco import read_annotations
from limbstudio.images import open_photo
from limbstudio.resihmr.batch import fit_many
from limbstudio.resihmr.initial_fit import fit_person
from limbstudio.resihmr.lifter import toward
from limbstudio.resources import resource_path


@pytest.fixture(scope="module")
def weights(untrained_ajahr: Path) -> Path:
    return untrained_ajahr


@pytest.fixture(scope="module")
def people() -> list[tuple[Person, Camera]]:
    found = read_annotations(resource_path("samples/annotations.json")).people[:4]
    return [(item.person, choose_camera(item.size_px or (0, 0))) for item in found]


@pytest.fixture(scope="module")
def fits(people, body: BodyModel) -> list[BodyFit]:
    return [fit_person(person, camera, body) for person, camera in people]


class Knows(KeypointAjahr):
    """Answers with fits that are known, told in the cameras turned toward the people."""

    def __init__(self, fits: list[BodyFit]) -> None:
        torch.nn.Module.__init__(self)
        self.fits, self.picture = fits, None

    def forward(self, inputs: torch.Tensor, seen: SeenPeople | None = None) -> KeypointBody:
        places = inputs[:, -4:-2].numpy() / 2
        ray = np.concatenate([places, np.sqrt(1 - (places**2).sum(1, keepdims=True))], 1)
        turn = toward(ray)
        orientation = turn @ rotation_matrices(np.stack([fit.orientation for fit in self.fits]))
        pose = np.zeros((len(self.fits), 23, 3, 3))
        pose[:, :21] = rotation_matrices(np.stack([fit.pose[:21] for fit in self.fits]))
        root = (turn @ np.stack([fit.joints[0] for fit in self.fits])[..., None])[..., 0]

        def tensor(values: np.ndarray) -> torch.Tensor:
            return torch.as_tensor(values, dtype=torch.float32)

        shape = tensor(np.stack([fit.shape for fit in self.fits]))
        nothing = torch.zeros(len(self.fits), 3)
        return KeypointBody(
            BodyEstimate(tensor(orientation)[:, None], tensor(pose), shape, nothing, nothing), tensor(root)
        )


def test_what_the_network_says_is_turned_back_into_the_photos_camera(people, fits, body):
    persons, cameras = zip(*people, strict=True)
    guess = Predictor(Knows(fits))(persons, cameras, body)

    for number, ((person, camera), fit) in enumerate(zip(people, fits, strict=True)):
        again = guessed_fit(person, camera, guess.taken(np.array([number])), body)
        exists = np.isfinite(fit.projected_px[:17, 0])
        np.testing.assert_allclose(again.joints[:22], fit.joints[:22], atol=0.002)
        off = np.linalg.norm(again.projected_px[:17] - fit.projected_px[:17], axis=1)[exists]
        assert off.max() < 0.02 * max(camera.size_px)
        assert again.limbs == ()
        assert again.provenance.stage == "AJAHR"


def test_the_network_is_told_how_sure_points_are(people, body, fits):
    class Listens(Knows):
        def forward(self, inputs: torch.Tensor, seen: SeenPeople | None = None) -> KeypointBody:
            self.told = inputs[:, 42:63].numpy()
            return super().forward(inputs)

    (person, camera), network = people[0], Listens(fits[:1])
    there = np.flatnonzero(person.keypoints.observed[:17])
    points = person.keypoints
    for index, confidence in zip(there[:3], (0.5, 0.0, 7.0), strict=True):
        points = points.replaced(int(index), replace(points.points[index], confidence=confidence))

    Predictor(network)([replace(person, keypoints=points)], [camera], body)

    np.testing.assert_allclose(network.told[0, there[:3]], [0.5, 0.1, 1.0])
    assert (network.told[0, there[3:]] == 1).all()
    assert (network.told[0, np.flatnonzero(~person.keypoints.observed[:17])] == 0).all()


def test_a_fit_that_begins_with_itself_ends_where_it_was(people, fits, body):
    (person, camera), fit = people[0], fits[0]
    guess = Predictor(Knows(fits[:1]))([person], [camera], body)

    again = fit_person(person, camera, body, guess=guess)

    assert again.energy["total"] <= fit.energy["total"] * 1.01
    np.testing.assert_allclose(again.joints[:22], fit.joints[:22], atol=0.02)
    assert [limb.limb for limb in again.limbs] == [limb.limb for limb in fit.limbs]


def test_many_fits_begin_with_predictions_as_one_does(people, fits, body):
    persons, cameras = zip(*people, strict=True)
    guess = Predictor(Knows(fits))(persons, cameras, body)

    together = fit_many(persons, cameras, body, guess=guess)
    on_torch = fit_many(persons, cameras, body, "torch:cpu", guess=guess)
    alone = fit_many(persons[1:2], cameras[1:2], body, guess=guess.taken(np.array([1])))

    assert together.energy[1] == pytest.approx(alone.energy[0], rel=1e-6)
    np.testing.assert_allclose(on_torch.energy, together.energy, rtol=1e-4)


def test_what_a_limb_lacks_is_drawn_into_the_joint_above_it(people, fits, body):
    (person, camera), fit = people[0], fits[0]  # right transtibial: AJAHR's class ends at the ankle
    guess = Predictor(Knows([fit]))([person], [camera], body)

    vertices, joints = collapsed(person, guess, body)

    ankle, foot = joints[SMPLX_INDEX["right_ankle"]], joints[SMPLX_INDEX["right_foot"]]
    np.testing.assert_allclose(ankle, foot, atol=1e-5)
    left = joints[SMPLX_INDEX["left_foot"]] - joints[SMPLX_INDEX["left_ankle"]]
    assert np.linalg.norm(left) > 0.05
    only_foot = body.skin_weights[:, SMPLX_INDEX["right_foot"]] > 0.99
    assert only_foot.any()
    assert np.linalg.norm(vertices[only_foot] - ankle, axis=1).max() < 1e-3


def test_a_person_is_predicted_whole(weights, people, body):
    person, camera = people[0]

    result = predicted_person(person, camera, body, weights)

    assert result.facts.watertight
    assert result.mesh.stumps == ()
    assert np.isfinite(result.mesh.vertices).all()
    assert "no residual limb" in result.warnings[0]


def test_a_person_with_too_few_points_is_refused(weights, people, body):
    person, camera = people[0]
    points = person.keypoints
    for index in range(3, 25):
        points = points.replaced(index, Point())

    with pytest.raises(KnownError, match="at least 4"):
        predicted_person(replace(person, keypoints=points), camera, body, weights)


def test_weights_are_read_back_as_they_were(weights):
    torch.manual_seed(0)
    original, network = build_studio().state_dict(), load_network(weights)

    assert not network.training
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, original[name], rtol=1e-3, atol=1e-6)


def _arrays(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as data:
        return dict(data)


def test_files_that_are_no_weights_are_refused(weights, tmp_path):
    whole = weights.read_bytes()
    (tmp_path / "short.npz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npz").write_text("no archive")
    arrays = _arrays(weights)
    np.savez(tmp_path / "pickled.npz", np.array([{}], dtype=object))
    bias = arrays.pop("encoder.first.bias")
    np.savez(tmp_path / "less.npz", **arrays)
    arrays["encoder.first.bias"] = bias * np.nan
    np.savez(tmp_path / "nan.npz", **arrays)

    for name in ("short", "text", "pickled", "absent"):
        with pytest.raises(KnownError, match=f"{name}.npz could not be read"):
            load_network(tmp_path / f"{name}.npz")
    with pytest.raises(KnownError, match=r"not AJAHR of the studio's size.*encoder\.first\.bias"):
        load_network(tmp_path / "less.npz")
    with pytest.raises(KnownError, match="not finite"):
        load_network(tmp_path / "nan.npz")


def test_what_ships_believes_unsure_points_less(people, body):
    """A knee that lies far off moves the thigh less when it is said to be hardly sure."""
    network, turned = Predictor(load_network(shipped_weights())), {}
    (person, camera), knee = people[0], LDPOSE_INDEX["left_knee"]
    usual = network([person], [camera], body)
    px = person.keypoints.positions_px
    assert person.keypoints.observed[knee]
    off = 0.25 * float(np.ptp(px[:, 1][person.keypoints.observed]))
    for confidence in (1.0, 0.15):
        point = replace(person.keypoints.points[knee], x=float(px[knee, 0]) + off, confidence=confidence)
        moved = replace(person, keypoints=person.keypoints.replaced(knee, point))
        turned[confidence] = np.linalg.norm(network([moved], [camera], body).pose - usual.pose)

    assert turned[0.15] < 0.85 * turned[1.0]


def test_what_ships_sees_the_photo(people, body):
    network = Predictor(load_network(shipped_weights()))
    item = read_annotations(resource_path("samples/annotations.json")).people[0]
    pixels = open_photo(resource_path("samples") / item.file_name).pixels
    (person, camera) = people[0]

    seen, unseen = (network([person], [camera], body, [shown]) for shown in (pixels, None))

    assert network.network.picture is not None
    assert 0.01 < np.linalg.norm(seen.pose - unseen.pose) < 3
