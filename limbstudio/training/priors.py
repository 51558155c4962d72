"""Learning what ships in resources/priors: the pose prior from motion capture, the click offsets from photos."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.folding import fold_keypoints
from limbstudio.body.model import load_body
from limbstudio.cameras import choose_camera
from limbstudio.domain.anatomy import N_COCO, SMPLX_INDEX
from limbstudio.domain.body import FitMode
from limbstudio.domain.errors import KnownError
from limbstudio.domain.geometry import Camera
from limbstudio.domain.photo import Person
from limbstudio.formats.coco import read_annotations
from limbstudio.formats.masks import person_mask
from limbstudio.formats.placing import placed_on
from limbstudio.formats.whole_files import write_whole
from limbstudio.images import open_photo
from limbstudio.resihmr import clicks, pose_prior
from limbstudio.resihmr.contour import CONTOUR_SETTINGS, fit_contour
from limbstudio.resihmr.energy import Evaluation, evaluate, project
from limbstudio.resihmr.initial_fit import require_enough_points
from limbstudio.resihmr.problem import (
    DEFAULT_SETTINGS,
    FitModel,
    FitSettings,
    box_height,
    build_problem,
    fit_model,
)
from limbstudio.resihmr.skeleton import build_skeleton
from limbstudio.resihmr.starts import sharpened, solve_starts, start_unknowns
from limbstudio.resihmr.terms import Problem, Unknowns

Report = Callable[[float, str], None]

# Offsets and fits depend on each other. More rounds still move offsets along the body's depth, by millimetres, and do
# not help photos that were left out (0.73 % of the box height after 3, 5 and 10 rounds on six photos).
CLICK_ROUNDS = 3
# The contour weighs in the learning a little less than in a fit: it only has to keep the body where the mask is.
LEARNING_CONTOUR = replace(CONTOUR_SETTINGS, count=0.1)
# Fewer photos than this cannot be judged by leaving one out.
FEWEST_PHOTOS = 2


def _silent(fraction: float, sentence: str) -> None:
    pass


# ------------------------------------------------------------------------------------------------- pose prior


@dataclass(frozen=True)
class PosePriorReport:
    """What was learned from, and how well it says poses it has not seen.

    gaussian_nats, mixture_nats: mean log density of a held-out pose under the single Gaussian and the mixture, over the
    60 numbers that are not the collars'.
    """

    training_poses: int
    held_out_poses: int
    gaussian_nats: float
    mixture_nats: float

    @property
    def text(self) -> str:
        return (
            f"Learned from {self.training_poses:,} poses and their mirror images.\n"
            f"Mean log density of {self.held_out_poses:,} held-out poses and their mirror images: "
            f"{self.gaussian_nats:.1f} under one Gaussian, {self.mixture_nats:.1f} under the mixture."
        )


def learn_pose_prior(poses: Path, out: Path) -> PosePriorReport:
    """Learn the pose prior from a poses file's training split and write it to `out` (.npz).

    Raise KnownError where `poses` is no poses file or `out` cannot be written.
    """
    _check_output(out)
    pose, up = pose_prior.read_motion(poses, validation=False)
    held_pose, held_up = pose_prior.read_motion(poses, validation=True)
    if not len(pose) or not len(held_pose):
        raise KnownError(
            f"{poses.name} has no poses in one of its splits.", "Give a file whose `val` marks some."
        )
    prior = pose_prior.learn(pose, up)
    # The writer of the method takes a path; the reader sees the new file whole or the old one.
    partial = out.with_name(f".{out.stem}.part.npz")
    try:
        pose_prior.save(prior, partial)
        write_whole(out, partial.read_bytes())
    except OSError as error:
        raise KnownError(
            f"{out} cannot be written: {error.strerror}.", "Choose a folder that may be written."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return PosePriorReport(len(pose), len(held_pose), *held_out_log_density(prior, held_pose, held_up))


def held_out_log_density(
    prior: pose_prior.PosePrior, pose: np.ndarray, up: np.ndarray
) -> tuple[float, float]:
    """Return the mean log density (nats) of poses (N, 21, 3) with up directions (N, 3) and of their mirror images.

    First under the single Gaussian, then under the mixture; collars, which the data never move, are left out.
    """
    mirrored, mirrored_up = pose_prior.mirror_poses(pose, up)
    z = np.concatenate(
        [np.concatenate([up, mirrored_up]), np.concatenate([pose, mirrored]).reshape(-1, 63)], 1
    )
    collars = [3 * SMPLX_INDEX[f"{side}_collar"] + axis for side in ("left", "right") for axis in range(3)]
    keep = np.setdiff1d(np.arange(pose_prior.N_PRIOR), collars)
    single = _log_density(z[:, keep], prior.mean[keep], prior.covariance[np.ix_(keep, keep)])
    parts = [
        np.log(weight) + _log_density(z[:, keep], mean[keep], covariance[np.ix_(keep, keep)])
        for weight, mean, covariance in zip(prior.weights, prior.means, prior.covariances, strict=True)
    ]
    return float(single.mean()), float(np.logaddexp.reduce(parts).mean())


def _log_density(z: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return the log density (N,) of a Gaussian at rows of z."""
    factor = np.linalg.cholesky(covariance)
    gap = np.linalg.solve(factor, (z - mean).T)
    constant = 0.5 * len(mean) * np.log(2 * np.pi) + np.log(np.diag(factor)).sum()
    return -0.5 * (gap**2).sum(0) - constant


# ---------------------------------------------------------------------------------------------- click offsets


@dataclass(frozen=True, eq=False)
class ClickCase:
    """An annotated person and the camera of the photo. photo: the photo's file as the annotations name it.

    mask: the person's silhouette (H, W), or None. It says where the body is across the line of sight, so that offsets
    do not push the whole body sideways to serve the points.
    """

    photo: str
    person: Person
    camera: Camera
    mask: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class PhotoErrors:
    """Mean distance of a photo's projected points from the clicks, in % of the box height.

    without: no offsets. left_out: offsets learned from the other photos. all_photos: learned from all.
    """

    photo: str
    without: float
    left_out: float
    all_photos: float


@dataclass(frozen=True, eq=False)
class ClickReport:
    """numbers: the 27 offsets, metres. errors: one row per photo."""

    numbers: np.ndarray
    errors: tuple[PhotoErrors, ...]

    @property
    def without(self) -> float:
        return float(np.mean([row.without for row in self.errors]))

    @property
    def left_out(self) -> float:
        return float(np.mean([row.left_out for row in self.errors]))

    @property
    def all_photos(self) -> float:
        return float(np.mean([row.all_photos for row in self.errors]))

    @property
    def text(self) -> str:
        rows = [(r.photo, r.without, r.left_out, r.all_photos) for r in self.errors]
        rows.append(("mean", self.without, self.left_out, self.all_photos))
        width = max(len(row[0]) for row in rows)
        head = f"{'points off, % of box height':{width}}  without  left out  all photos"
        return "\n".join([head, *(f"{n:{width}}  {a:7.3f}  {b:8.3f}  {c:10.3f}" for n, a, b, c in rows)])


def learn_click_offsets(
    annotations: Path, out: Path, photos: Path | None = None, *, settings: FitSettings = DEFAULT_SETTINGS,
    rounds: int = CLICK_ROUNDS, report: Report = _silent,
) -> ClickReport:  # fmt: skip
    """Learn the click offsets of the bundled body from annotated photos, judge them, and write them to `out` (.npz).

    photos: folder of the photos, by default that of the annotation file. The judgement leaves out one photo at a time.
    Raise KnownError where files cannot be read or written, or fewer than two photos are usable.
    """
    _check_output(out)
    cases = read_click_cases(annotations, photos)
    model = fit_model(load_body())
    names = sorted({case.photo for case in cases})
    if len(names) < FEWEST_PHOTOS:
        raise KnownError(
            f"{annotations.name} has people in {len(names)} photo(s); leaving one out needs {FEWEST_PHOTOS}.",
            "Annotate more photos.",
        )
    numbers = learn_offsets(model, cases, settings, rounds)
    without = photo_errors(with_offsets(model, np.zeros(clicks.N_NUMBERS)), cases, settings)
    trained = photo_errors(with_offsets(model, numbers), cases, settings)
    errors = []
    for done, name in enumerate(names):
        report(done / len(names), f"Leaving out {name}")
        others = learn_offsets(model, [case for case in cases if case.photo != name], settings, rounds)
        own = [case for case in cases if case.photo == name]
        left_out = photo_errors(with_offsets(model, others), own, settings)[name]
        errors.append(PhotoErrors(name, without[name], left_out, trained[name]))
    buffer = io.BytesIO()
    np.savez(buffer, numbers=numbers)
    write_whole(out, buffer.getvalue())
    report(1.0, "Done")
    return ClickReport(numbers, tuple(errors))


def read_click_cases(annotations: Path, photos: Path | None = None) -> list[ClickCase]:
    """Read every annotated person with the camera of the photo; KnownError at the first that cannot be used."""
    read = read_annotations(annotations)
    if read.problems:
        raise KnownError(str(read.problems[0]), "Learning needs every entry to be right.")
    cases = []
    for annotated in read.people:
        photo = open_photo((photos or read.folder) / annotated.file_name)
        placed = placed_on(annotated, photo)
        person = placed.person
        require_enough_points(person)
        camera = choose_camera((photo.width, photo.height), exif_px=photo.focal_exif_px)
        mask = person_mask(placed, photo, folder=read.folder)
        cases.append(ClickCase(annotated.file_name, person, camera, mask))
    return cases


def with_offsets(model: FitModel, numbers: np.ndarray) -> FitModel:
    """Return the model with these 27 click offsets in place of those it had."""
    folded = fold_keypoints(model.body, model.body.keypoint_regressors["coco17"])
    return replace(model, skeleton=build_skeleton(model.body, folded, clicks.as_rows(numbers)))


def learn_offsets(
    model: FitModel, cases: Sequence[ClickCase], settings: FitSettings = DEFAULT_SETTINGS, rounds: int = CLICK_ROUNDS
) -> np.ndarray:  # fmt: skip
    """Return the 27 offsets, metres: fit everybody, linearise, solve for the offsets of all, and again."""
    numbers = np.zeros(clicks.N_NUMBERS)
    for _ in range(rounds):
        moved = with_offsets(model, numbers)
        fitted = _fit_all(moved, cases, settings)
        found = [_with_mask(moved, case, fitted, i, settings) for i, case in enumerate(cases)]
        numbers = clicks.solve(numbers, [_evidence(evaluation, 0) for evaluation in found])
    return numbers


def _with_mask(
    model: FitModel, case: ClickCase, fitted: "_Fitted", person: int, settings: FitSettings
) -> Evaluation:
    """Return one person's linearisation, at the optimum with the mask's contour where there is a mask."""
    index = np.array([person])
    problem, x = sharpened(fitted.problem).taken(index), fitted.x.taken(index)
    if case.mask is not None:
        problem, x = fit_contour(
            model, model.body, case.person, case.mask, problem, x, settings, contour=LEARNING_CONTOUR
        )
    return evaluate(problem, x, derivatives=True)


def photo_errors(
    model: FitModel, cases: Sequence[ClickCase], settings: FitSettings = DEFAULT_SETTINGS
) -> dict[str, float]:
    """Return each photo's mean distance of COCO points from the clicks, % of the box height."""
    fitted = _fit_all(model, cases, settings)
    problem, points = fitted.problem, fitted.evaluation.placed.points[:, :N_COCO]
    gap = project(points, problem.focal, problem.center) - problem.observed_px[:, :N_COCO]
    distance, seen = np.linalg.norm(gap, axis=2), problem.scale[:, :N_COCO] > 0
    by_photo: dict[str, list[float]] = {}
    for i, case in enumerate(cases):
        share = distance[i, seen[i]].mean() / box_height(case.person)
        by_photo.setdefault(case.photo, []).append(100 * float(share))
    return {photo: float(np.mean(shares)) for photo, shares in by_photo.items()}


@dataclass(frozen=True, eq=False)
class _Fitted:
    problem: Problem
    x: Unknowns
    evaluation: Evaluation


def _fit_all(model: FitModel, cases: Sequence[ClickCase], settings: FitSettings) -> _Fitted:
    """Fit all people in one batch; return the problem and its linearisation at everybody's optimum."""
    people, cameras = [case.person for case in cases], [case.camera for case in cases]
    problem = build_problem(model, people, cameras, mode=FitMode.JOINT, settings=settings)
    best = solve_starts(problem, *start_unknowns(model, problem, settings), settings)
    order = np.argsort(best.people)
    optimum = best.x.taken(order)
    return _Fitted(problem, optimum, evaluate(sharpened(problem), optimum, derivatives=True))


def _evidence(found: Evaluation, person: int) -> clicks.ClickEvidence:
    data, matrix, rotations = found.data, found.matrix, found.placed.rotations
    assert data is not None and matrix is not None  # evaluated with derivatives
    return clicks.evidence(
        rows=data.rows[person, :N_COCO].reshape(-1),
        jacobian=data.jacobian[person, : 2 * N_COCO],
        by_point=data.by_point[person, :N_COCO],
        system=matrix[person],
        rotations=rotations[person],
    )


def _check_output(out: Path) -> None:
    """Refuse before minutes of work what could not be written after them."""
    if out.suffix != ".npz":
        raise KnownError(f"{out.name} is not a name for arrays.", "Give a file name that ends in .npz.")
    if not out.parent.is_dir():
        raise KnownError(f"The folder {out.parent} does not exist.", "Make it first, or choose another.")
