"""Read a user's SMPL, SMPL-H or SMPL-X file (.npz or .pkl) without running anything that is in it.

A pickle can name any function of any library and have it called on loading. The reader here knows arrays,
sparse matrices, chumpy's arrays and plain containers, and refuses everything else by name. The files stay the
user's: nothing of them is stored elsewhere.
"""

import io
import logging
import pickle
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from limbstudio.body.kinematics import Float
from limbstudio.body.model import BodyModel, KeypointRegressor
from limbstudio.body.parts import HEAD, border_loops, label_parts
from limbstudio.domain.anatomy import LDPOSE_NAMES, N_COCO, SMPLX_INDEX, SMPLX_JOINTS, SMPLX_PARENTS
from limbstudio.domain.errors import KnownError

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

N_SHAPE = 10
KIND_NAMES = {"smpl": "SMPL", "smplh": "SMPL-H", "smplx": "SMPL-X"}

# Which of SMPL-X's 55 slots each joint of a file takes. SMPL ends with two hands, which are SMPL-X's middle
# knuckles.
_BODY_SLOTS = tuple(range(22))
_FINGER_SLOTS = tuple(range(25, 55))
_HANDS = (SMPLX_INDEX["left_middle1"], SMPLX_INDEX["right_middle1"])
JOINT_SLOTS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"smpl": (*_BODY_SLOTS, *_HANDS), "smplh": (*_BODY_SLOTS, *_FINGER_SLOTS), "smplx": tuple(range(55))}
)

REQUIRED = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")

_OTHER_FILE_HINT = (
    "Choose a model file as downloaded from the SMPL, MANO or SMPL-X web page, .npz where there is a choice."
)


# ----------------------------------------------------------------------------------------- restricted pickles


class _Holder:
    """Stands in for an object of a class that is not loaded: it only keeps the state it is given."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments
        self.state: Mapping[str, object] = {}

    def __setstate__(self, state: object) -> None:
        self.state = state if isinstance(state, dict) else {}


class _ChumpyArray(_Holder):
    """chumpy.ch.Ch: an array wrapped for automatic differentiation; its values are its member `x`."""


class _SparseColumns(_Holder):
    """scipy's csc_matrix."""


class _SparseRows(_Holder):
    """scipy's csr_matrix."""


_HOLDERS = (_ChumpyArray, _SparseColumns, _SparseRows)


def _encode_latin1(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"text encoded as {encoding!r}")
    return text.encode("latin1")


def _rebuild_holder(kind: type, base: type, state: object) -> object:
    """Do what copyreg does for an object of protocol 0 or 1, for holders only."""
    if kind not in _HOLDERS:
        raise pickle.UnpicklingError("an object that is neither an array nor a sparse matrix")
    return kind()


def numpy_pickle_names() -> dict[tuple[str, str], object]:
    """Return what a pickle may name of numpy, (module, name) to object: how arrays and single numbers are rebuilt."""
    numeric = np.array(0.0).__reduce__()[0]  # numpy's own array rebuilder, whatever its module is called here
    scalar = np.float64(0).__reduce__()[0]
    names: dict[tuple[str, str], object] = {("numpy", "ndarray"): np.ndarray, ("numpy", "dtype"): np.dtype}
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        names[module, "_reconstruct"] = numeric
        names[module, "scalar"] = scalar
    frombuffer = np.zeros(1).__reduce_ex__(5)[0]
    for module in ("numpy.core.numeric", "numpy._core.numeric"):
        names[module, "_frombuffer"] = frombuffer
    return names


_ALLOWED: dict[tuple[str, str], object] = {
    **numpy_pickle_names(),
    ("_codecs", "encode"): _encode_latin1,
    ("copy_reg", "_reconstructor"): _rebuild_holder,
    ("copyreg", "_reconstructor"): _rebuild_holder,
    ("collections", "OrderedDict"): dict,
    ("chumpy.ch", "Ch"): _ChumpyArray,
    **{
        (f"scipy.sparse.{module}", name): holder
        for letter, holder in (("csc", _SparseColumns), ("csr", _SparseRows))
        for module in (letter, f"_{letter}")
        for name in (f"{letter}_matrix", f"{letter}_array")
    },
    **{
        (module, kind.__name__): kind
        for module in ("builtins", "__builtin__")
        for kind in (object, list, dict, tuple, set, frozenset)
    },
}


class _RestrictedUnpickler(pickle.Unpickler):
    def __init__(self, stream: io.BufferedIOBase | io.BytesIO, path: Path) -> None:
        super().__init__(stream, encoding="latin1")
        self._path = path

    def find_class(self, module_name: str, global_name: str) -> object:  # the name is pickle's
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise KnownError(
                f"{self._path.name} asks for {module_name}.{global_name}, which a body model has no use for; "
                "it was not loaded.",
                _OTHER_FILE_HINT,
            ) from None

    def persistent_load(self, pid: object) -> object:
        raise KnownError(f"{self._path.name} refers to data outside itself.", _OTHER_FILE_HINT)


def _unpickle(stream: io.BufferedIOBase | io.BytesIO, path: Path) -> object:
    try:
        return _RestrictedUnpickler(stream, path).load()
    # What a damaged pickle makes the virtual machine do wrong is not one kind of error.
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
    ) as error:
        raise KnownError(f"{path.name} cannot be read as a pickle ({error}).", _OTHER_FILE_HINT) from error


def _plain_array(value: object) -> NDArray | None:
    """Return a value read from a file as a plain array; None if it is none."""
    if isinstance(value, _ChumpyArray):
        return _plain_array(value.state.get("x"))
    if isinstance(value, _SparseColumns | _SparseRows):
        return _dense(value)
    if isinstance(value, np.ndarray) and value.dtype == object:
        return _plain_array(value.item()) if value.size == 1 else None
    if isinstance(value, np.ndarray | np.generic | int | float | list):
        array = np.asarray(value)
        return array if array.dtype.kind in "biufc" else None
    return None


def _dense(sparse: _Holder) -> NDArray:
    """Write out a compressed sparse matrix; raise ValueError when its members do not fit together."""
    state = sparse.state
    data, indices, starts = (np.asarray(state.get(name)) for name in ("data", "indices", "indptr"))
    shape = state.get("_shape", state.get("shape"))
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise ValueError("a sparse matrix without a shape")
    rows, columns = int(shape[0]), int(shape[1])
    major = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    dense = np.zeros((rows, columns), np.float64)
    if isinstance(sparse, _SparseColumns):
        np.add.at(dense, (indices, major), data)
    else:
        np.add.at(dense, (major, indices), data)
    return dense


# -------------------------------------------------------------------------------------------------- the files


@dataclass(frozen=True, eq=False)
class SmplFile:
    """The numbers of a model file. kind: "smpl", "smplh" or "smplx". arrays: by the file's own names."""

    path: Path
    kind: str
    arrays: Mapping[str, NDArray]


def read_smpl_file(path: Path) -> SmplFile:
    """Read and check a model file; raise KnownError with a reason when it is none, damaged or unsafe."""
    if path.suffix.lower() == ".npz":
        values = _npz_values(path)
    elif path.suffix.lower() == ".pkl":
        try:
            with path.open("rb") as stream:
                values = _unpickle(stream, path)
        except OSError as error:
            raise KnownError(
                f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions."
            ) from error
    else:
        raise KnownError(f"{path.name} is neither .npz nor .pkl.", _OTHER_FILE_HINT)
    if not isinstance(values, dict):
        raise KnownError(f"{path.name} holds no table of arrays.", _OTHER_FILE_HINT)
    try:
        arrays = {
            str(key): array for key, value in values.items() if (array := _plain_array(value)) is not None
        }
    except (ValueError, TypeError, IndexError) as error:
        raise KnownError(f"{path.name} holds a damaged array ({error}).", _OTHER_FILE_HINT) from error
    missing = [name for name in REQUIRED if name not in arrays]
    if missing:
        raise KnownError(
            f"{path.name} has no {', '.join(missing)}: it is not a body model.", _OTHER_FILE_HINT
        )
    return SmplFile(path, _checked_kind(path, arrays), MappingProxyType(arrays))


def _npz_values(path: Path) -> dict[str, object]:
    values: dict[str, object] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                with archive.open(member) as stream:
                    values[member.removesuffix(".npy")] = _npy_value(stream.read(), path)
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise KnownError(f"{path.name} cannot be read as .npz ({error}).", _OTHER_FILE_HINT) from error
    return values


def _npy_value(content: bytes, path: Path) -> object:
    """Read one .npy; an array of objects, which numpy would unpickle, goes through the restricted reader."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )
    _, _, dtype = read_header(stream)
    if dtype.hasobject:
        return _unpickle(stream, path)
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def _checked_kind(path: Path, arrays: Mapping[str, NDArray]) -> str:
    joints = arrays["kintree_table"].shape[-1]
    kind = {24: "smpl", 52: "smplh", 55: "smplx"}.get(joints)
    if kind is None:
        raise KnownError(
            f"{path.name} has {joints} joints; SMPL has 24, SMPL-H 52, SMPL-X 55.",
            "MANO (hands) and FLAME (heads) are not bodies.",
        )
    n = len(arrays["v_template"])
    shapes = {
        "v_template": (n, 3),
        "J_regressor": (joints, n),
        "weights": (n, joints),
        "posedirs": (n, 3, 9 * (joints - 1)),
    }
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise KnownError(f"{path.name}: {name} is {arrays[name].shape}, not {shape}.", _OTHER_FILE_HINT)
    if (
        arrays["shapedirs"].ndim != 3
        or arrays["shapedirs"].shape[:2] != (n, 3)
        or not arrays["shapedirs"].shape[2]
    ):
        raise KnownError(
            f"{path.name}: shapedirs is {arrays['shapedirs'].shape}, not ({n}, 3, B).", _OTHER_FILE_HINT
        )
    faces = arrays["f"]
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.min() < 0 or faces.max() >= n:
        raise KnownError(f"{path.name}: f does not hold triangles of its {n} vertices.", _OTHER_FILE_HINT)
    if not all(np.isfinite(arrays[name]).all() for name in (*shapes, "shapedirs")):
        raise KnownError(f"{path.name} holds numbers that are not finite.", _OTHER_FILE_HINT)
    slots = JOINT_SLOTS[kind]
    parents = arrays["kintree_table"][0].astype(np.int64)
    ours = [slots.index(SMPLX_PARENTS[slot]) for slot in slots[1:]]
    if parents[1:].tolist() != ours:
        raise KnownError(
            f"{path.name}: its joints do not hang together as {KIND_NAMES[kind]}'s do.", _OTHER_FILE_HINT
        )
    return kind


# --------------------------------------------------------------------------------------------- to a BodyModel


def load_smpl(path: Path) -> BodyModel:
    """Read a user's model file into a BodyModel of 55 joints and ten shape components.

    Joints the file does not have get no weights and stand at the joint they hang on. Openings of the mesh
    (SMPL-X's eyes) are closed with triangles, inner pieces (eyeballs) lose theirs; vertices keep their
    numbers.
    """
    return body_from_smpl(read_smpl_file(path))


def body_from_smpl(file: SmplFile) -> BodyModel:
    """Make a BodyModel of a file already read."""
    arrays, slots = file.arrays, np.array(JOINT_SLOTS[file.kind])
    template = arrays["v_template"].astype(np.float64)
    shape_dirs = arrays["shapedirs"][:, :, :N_SHAPE].astype(np.float64)
    regressor = _regressor_of_55(arrays["J_regressor"].astype(np.float64), slots)
    joints = regressor @ template
    skin_weights = np.zeros((len(template), len(SMPLX_JOINTS)))
    skin_weights[:, slots] = arrays["weights"]
    faces = closed_body_faces(arrays["f"].astype(np.int32), len(template), file.path.name)
    labels = label_parts(template=template, faces=faces, joints=joints, skin_weights=skin_weights)
    labels[np.setdiff1d(np.arange(len(template)), faces)] = HEAD  # eyeballs
    return BodyModel(
        name=f"{KIND_NAMES[file.kind]} ({file.path.stem})",
        kind=file.kind,
        licence=f"{KIND_NAMES[file.kind]} model licence of the Max Planck Society; the user's own copy",
        template=template.astype(np.float32),
        faces=faces,
        shape_dirs=_by_component(shape_dirs),
        joint_template=joints.astype(np.float32),
        joint_shape_dirs=np.einsum("jv,vcb->jcb", regressor, shape_dirs, optimize=True).astype(np.float32),
        parents=np.array(SMPLX_PARENTS, np.int32),
        joint_names=SMPLX_JOINTS,
        skin_weights=skin_weights.astype(np.float32),
        part_labels=labels,
        keypoint_regressors=_keypoint_regressors(file, template, joints, regressor),
        pose_dirs=_by_component(arrays["posedirs"]),
        pose_joints=slots[1:].astype(np.int32),
    )


def _by_component(directions: Float) -> Float:
    """Return directions (V, 3, B) as float32 in the memory order (B, V, 3), in which they are summed
    fastest."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(directions, -1, 0), np.float32), 0, -1)


def _regressor_of_55(regressor: Float, slots: NDArray[np.integer]) -> Float:
    """Return the joint regressor (55, V): SMPL-X's slots that the file lacks repeat a joint that is there."""
    full = np.zeros((len(SMPLX_JOINTS), regressor.shape[1]))
    full[slots] = regressor
    present = set(slots.tolist())
    for slot, name in enumerate(SMPLX_JOINTS):
        if slot not in present:
            side = name.split("_")[0]
            # Jaw and eyes: the head. Fingers (SMPL only): the hand.
            stand_in = f"{side}_middle1" if slot >= _FINGER_SLOTS[0] else "head"
            full[slot] = full[SMPLX_INDEX[stand_in]]
    return full


def closed_body_faces(faces: NDArray[np.int32], n_vertices: int, name: str) -> NDArray[np.int32]:
    """Return the triangles of the largest piece with its openings closed by fans; say in the log what was
    done.

    faces: (F, 3). The vertices are neither moved nor renumbered. Raises KnownError when an opening is no
    simple loop.
    """
    pieces = _pieces(faces, n_vertices)
    sizes = np.bincount(pieces[faces[:, 0]], minlength=n_vertices)
    largest = faces[pieces[faces[:, 0]] == sizes.argmax()]
    dropped = np.count_nonzero(sizes) - 1
    if dropped:
        log.info("%s: %d inner pieces (eyeballs) are left out of the surface.", name, dropped)
    try:
        loops = border_loops(largest, np.ones(n_vertices, bool))
    except ValueError as error:
        raise KnownError(
            f"{name}: its mesh has an opening that cannot be closed.", _OTHER_FILE_HINT
        ) from error
    for loop in loops:
        # The rim runs with its triangles; the lid must run against it.
        lid = [(loop[0], loop[i + 1], loop[i]) for i in range(1, len(loop) - 1)]
        largest = np.vstack([largest, np.array(lid, np.int32)])
    if len(loops):
        log.info("%s: %d openings of the mesh (eyes) are closed.", name, len(loops))
    return largest.astype(np.int32)


def _pieces(faces: NDArray[np.int32], n_vertices: int) -> NDArray[np.integer]:
    """Return for each vertex the smallest vertex it is connected to."""
    from limbstudio.body.surface import connected_labels

    return connected_labels(np.concatenate([faces[:, :2], faces[:, 1:]]), n_vertices)


# ------------------------------------------------------------------------------------------------- keypoints

# Vertices of the extra keypoints, by the number of vertices of the mesh: SMPL and SMPL-H share theirs.
# Numbers as in the keypoint tables of SMPLify-X and the smplx package.
_FEET = ("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel")
_LANDMARKS = ("nose", "right_eye", "left_eye", "right_ear", "left_ear", *_FEET)
_LANDMARK_VERTICES = {
    6890: (332, 6260, 2800, 4071, 583, 3216, 3226, 3387, 6617, 6624, 6787),
    10475: (9120, 9929, 9448, 616, 6, 5770, 5780, 8846, 8463, 8474, 8635),
}
# For meshes of any other size: where to look, as (joint, offset in parts of the stature), from the bundled
# body.
_LANDMARK_PLACES = {
    "nose": ("head", (0.0, 0.006, 0.068)),
    "eye": ("head", (0.018, 0.024, 0.050)),
    "ear": ("head", (0.044, 0.012, 0.003)),
    "big_toe": ("foot", (-0.008, -0.008, 0.034)),
    "small_toe": ("foot", (0.033, -0.008, -0.001)),
    "heel": ("ankle", (-0.002, -0.025, -0.022)),
}
BODY25_NAMES = (
    "nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow",
    "left_wrist", "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "right_eye", "left_eye", "right_ear", "left_ear", *_FEET,
)  # fmt: skip
_BODY25_JOINTS = {"neck": "neck", "mid_hip": "pelvis"}


def _keypoint_regressors(
    file: SmplFile, template: Float, joints: Float, joint_regressor: Float
) -> Mapping[str, KeypointRegressor]:
    """Return "coco17", "body25" and "feet": joints as the file regresses them, faces and feet as single
    vertices."""
    vertices = _LANDMARK_VERTICES.get(len(template))
    if vertices is None:
        log.warning("%s has %d vertices: face and foot keypoints are guessed.", file.path.name, len(template))
        vertices = tuple(_guessed_landmark(name, template, joints) for name in _LANDMARKS)
    vertex_of = dict(zip(_LANDMARKS, vertices, strict=True))

    def row(name: str) -> Float:
        if name in vertex_of:
            weights = np.zeros(len(template))
            weights[vertex_of[name]] = 1
            return weights
        return joint_regressor[SMPLX_INDEX[_BODY25_JOINTS.get(name, name)]]

    sets = {"coco17": LDPOSE_NAMES[:N_COCO], "body25": BODY25_NAMES, "feet": _FEET}
    return MappingProxyType(
        {
            key: KeypointRegressor.from_dense(tuple(names), np.stack([row(n) for n in names]))
            for key, names in sets.items()
        }
    )


def _guessed_landmark(name: str, template: Float, joints: Float) -> int:
    side, _, plain = name.partition("_")
    joint, offset = _LANDMARK_PLACES[plain or name]
    sign = {"left": 1.0, "right": -1.0}.get(side, 0.0)
    at = joints[SMPLX_INDEX[joint if joint == "head" else f"{side}_{joint}"]]
    place = at + np.ptp(template[:, 1]) * np.array([sign * offset[0], offset[1], offset[2]])
    return int(np.argmin(np.linalg.norm(template - place, axis=1)))


# --------------------------------------------------------------------------------------------- smplx's layers


def smplx_layer(file: SmplFile, *, num_betas: int = N_SHAPE, batch_size: int = 1) -> "torch.nn.Module":
    """Hand the arrays of a file to smplx's own layer of its kind, so that smplx never unpickles the file.

    The layer takes axis angles for every joint (no hand components, flat mean hands). Raises KnownError when
    the file lacks what that layer needs beyond a body: mean hands, face landmarks.
    """
    import smplx  # brings torch: seconds of import, needed by nothing else here
    from smplx.utils import Struct

    try:
        if file.kind == "smpl":
            struct = Struct(**file.arrays)
            return smplx.SMPL("", data_struct=struct, num_betas=num_betas, batch_size=batch_size)
        if file.kind == "smplh":
            return smplx.SMPLH(
                "",
                data_struct=Struct(**file.arrays),
                use_pca=False,
                flat_hand_mean=True,
                num_betas=num_betas,
                batch_size=batch_size,
            )
        # smplx.SMPLX takes a path only: it gets one to the plain arrays.
        with TemporaryDirectory() as folder:
            plain = Path(folder) / "plain.npz"
            np.savez(plain, **dict(file.arrays))  # pyright: ignore[reportArgumentType]
            return smplx.SMPLX(
                str(plain),
                ext="npz",
                use_pca=False,
                flat_hand_mean=True,
                num_betas=num_betas,
                batch_size=batch_size,
            )
    except AttributeError as error:
        raise KnownError(f"{file.path.name} lacks what smplx needs ({error}).", _OTHER_FILE_HINT) from error
