"""mmpose metainfo: the `dataset_info = dict(...)` file that tells mmpose what LDPose-25 is.

Such a file is Python. It is parsed, never run: literals and `dict(...)` calls are all it may hold.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limbstudio.domain.anatomy import LDPOSE, LDPOSE_EDGES, LDPOSE_NAMES, Side
from limbstudio.domain.errors import KnownError
from limbstudio.formats.whole_files import write_whole

MAX_METAINFO_BYTES = 2_000_000

# Weights of the LDPose authors' configuration: joints that move more count more.
_WEIGHTS: Mapping[str, float] = {"elbow": 1.2, "knee": 1.2, "wrist": 1.5, "ankle": 1.5}
# mmpose's own colours: left, right, middle.
_LEFT_RGB, _RIGHT_RGB, _MIDDLE_RGB = [0, 255, 0], [255, 128, 0], [51, 153, 255]
_REQUIRED = ("dataset_name", "keypoint_info", "skeleton_info", "joint_weights", "sigmas")


@dataclass(frozen=True)
class Metainfo:
    """A keypoint set as mmpose describes it. swaps: index of the mirror twin, or own. edges: index pairs."""

    dataset_name: str
    names: tuple[str, ...]
    swaps: tuple[int, ...]
    types: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    weights: tuple[float, ...]
    sigmas: tuple[float, ...]
    warnings: tuple[str, ...] = ()


def write_metainfo(path: Path | str) -> None:
    """Write LDPose-25 as a metainfo file for `metainfo=dict(from_file=...)`, whole or not at all."""
    write_whole(path, metainfo_text().encode("utf-8"))


def metainfo_text() -> str:
    """Return the content of a metainfo file for LDPose-25."""
    lines = ["dataset_info = dict(", "    dataset_name='ldpose25',", "    paper_info=dict("]
    lines += ["        title='LDPose: Towards Inclusive Human Pose Estimation for '"]
    lines += ["        'Limb-Deficient Individuals in the Wild',", "        year='2025',", "    ),"]
    lines += ["    keypoint_info={"]
    for k in LDPOSE:
        kind = "lower" if k.limb is not None and not k.limb.is_arm else "upper"
        swap = "" if k.swap == k.index else LDPOSE_NAMES[k.swap]
        lines.append(
            f"        {k.index}: dict(name={k.name!r}, id={k.index}, color={_colour(k.side)}, "
            f"type={kind!r}, swap={swap!r}),"
        )
    lines += ["    },", "    skeleton_info={"]
    for number, (a, b) in enumerate(LDPOSE_EDGES):
        one_side = LDPOSE[a].side is LDPOSE[b].side
        colour = _colour(LDPOSE[a].side if one_side else None)
        link = (LDPOSE_NAMES[a], LDPOSE_NAMES[b])
        lines.append(f"        {number}: dict(link={link!r}, id={number}, color={colour}),")
    lines += ["    },", f"    joint_weights={[_weight(k.name) for k in LDPOSE]},"]
    lines += [f"    sigmas={[k.sigma for k in LDPOSE]},", ")", ""]
    return "\n".join(lines)


def read_metainfo(path: Path | str) -> Metainfo:
    """Read a metainfo file and check that it is consistent; KnownError naming the first thing that is not."""
    path = Path(path)
    return _checked(_parsed(path), path.name)


def differences_from_ldpose(metainfo: Metainfo) -> tuple[str, ...]:
    """Return what differs from LDPose-25, as sentences; empty if nothing does."""
    found = []
    if metainfo.names != LDPOSE_NAMES:
        other = [n for n in metainfo.names if n not in LDPOSE_NAMES]
        found.append(
            f"It has {len(metainfo.names)} keypoints"
            + (f", of which LDPose-25 lacks {', '.join(other[:4])}." if other else ", in another order.")
        )
        return tuple(found)
    if metainfo.swaps != tuple(k.swap for k in LDPOSE):
        found.append("Its left-right pairs differ.")
    if metainfo.sigmas != tuple(k.sigma for k in LDPOSE):
        found.append("Its sigmas differ.")
    if {frozenset(e) for e in metainfo.edges} != {frozenset(e) for e in LDPOSE_EDGES}:
        found.append("Its skeleton differs.")
    return tuple(found)


def _colour(side: Side | None) -> list[int]:
    return {Side.LEFT: _LEFT_RGB, Side.RIGHT: _RIGHT_RGB}.get(side, _MIDDLE_RGB) if side else _MIDDLE_RGB


def _weight(name: str) -> float:
    return 1.0 if name.endswith("_end") else _WEIGHTS.get(name.split("_")[-1], 1.0)


def _parsed(path: Path) -> Mapping[str, Any]:
    try:
        if not path.is_file():
            raise KnownError(f"There is no metainfo file {path}.", "Check the name and the folder.")
        if path.stat().st_size > MAX_METAINFO_BYTES:
            raise KnownError(f"{path.name} is too large for a metainfo file.", "Give the dataset's own file.")
        tree = ast.parse(path.read_bytes(), path.name)
    except OSError as error:
        raise KnownError(f"{path} cannot be read: {error}.", "Check the disk and the name.") from error
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise KnownError(f"{path.name} is no Python file: {error}.", "Give mmpose's dataset file.") from error
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "dataset_info" for target in statement.targets
        ):
            try:
                value = _literal(statement.value)
            except RecursionError as error:
                raise KnownError(
                    f"{path.name} is nested too deeply.", "Give mmpose's dataset file."
                ) from error
            except ValueError as error:
                raise KnownError(f"{path.name}: {error}.", "Only literals and dict(...) are read.") from error
            if isinstance(value, dict):
                return value
    raise KnownError(
        f"{path.name} does not assign `dataset_info = dict(...)`.", "Give mmpose's dataset file."
    )


def _literal(node: ast.expr) -> Any:  # noqa: ANN401 - the values of a foreign file
    """Return the value of literals, `dict(...)` and lists times a number; ValueError for anything else."""
    if isinstance(node, ast.Call):
        if not (isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args):
            raise ValueError(f"line {node.lineno} calls something else than dict(...)")
        return {k.arg: _literal(k.value) for k in node.keywords if k.arg is not None}
    if isinstance(node, ast.Dict):
        return {
            _literal(k): _literal(v) for k, v in zip(node.keys, node.values, strict=True) if k is not None
        }
    if isinstance(node, ast.List | ast.Tuple):
        return [_literal(item) for item in node.elts]
    if isinstance(node, ast.BinOp):
        left, right = _literal(node.left), _literal(node.right)
        if (
            isinstance(node.op, ast.Mult)
            and isinstance(left, list)
            and isinstance(right, int)
            and right <= 1000
        ):
            return left * right
        if isinstance(node.op, ast.Add) and isinstance(left, list) and isinstance(right, list):
            return left + right
        raise ValueError(f"line {node.lineno} computes")
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError) as error:
        raise ValueError(f"line {node.lineno} holds no literal") from error


def _checked(info: Mapping[str, Any], file: str) -> Metainfo:
    def refuse(what: str, hint: str = "Correct it in the file.") -> KnownError:
        return KnownError(f"{file}: {what}", hint)

    for key in _REQUIRED:
        if key not in info:
            raise refuse(f"“{key}” is missing.", "mmpose demands it.")
    points = _in_order(info["keypoint_info"])
    if points is None:
        raise refuse("“keypoint_info” does not number its keypoints 0, 1, 2, ...")
    names = [str(p.get("name", "")) for p in points]
    if len(set(names)) != len(names) or "" in names:
        raise refuse("a keypoint has no name, or the name of another.")
    swaps = []
    for i, point in enumerate(points):
        swap = point.get("swap") or names[i]
        if swap not in names:
            raise refuse(f"{names[i]} swaps with {swap}, which does not exist.")
        swaps.append(names.index(swap))
    for i, swap in enumerate(swaps):
        if swaps[swap] != i:
            raise refuse(f"{names[i]} swaps with {names[swap]}, but not the other way round.")
    edges = []
    for link in _links(info["skeleton_info"]):
        if len(link) != 2 or any(end not in names for end in link):
            raise refuse(f"the skeleton links {' and '.join(map(str, link))}, not both keypoints.")
        edges.append((names.index(link[0]), names.index(link[1])))
    numbers = {}
    for key in ("joint_weights", "sigmas"):
        values = info[key]
        if not isinstance(values, list) or len(values) != len(names):
            raise refuse(f"“{key}” does not have one number for each of the {len(names)} keypoints.")
        if not all(isinstance(v, int | float) and v > 0 for v in values):
            raise refuse(f"“{key}” holds something else than positive numbers.")
        numbers[key] = tuple(float(v) for v in values)
    types = tuple(str(p.get("type", "")) for p in points)
    odd = sorted({t for t in types if t not in ("upper", "lower")})
    warnings = (
        [f"{file}: mmpose ignores keypoints of the types {', '.join(odd)} when it crops half bodies."]
        if odd
        else []
    )
    return Metainfo(
        str(info["dataset_name"]), tuple(names), tuple(swaps), types, tuple(edges), numbers["joint_weights"],
        numbers["sigmas"], tuple(warnings),
    )  # fmt: skip


def _in_order(value: object) -> list[Mapping[str, Any]] | None:
    if not isinstance(value, dict) or sorted(map(str, value)) != sorted(map(str, range(len(value)))):
        return None
    points = [value[i] for i in range(len(value)) if i in value]
    return points if len(points) == len(value) and all(isinstance(p, dict) for p in points) else None


def _links(value: object) -> list[Sequence[Any]]:
    rows = value.values() if isinstance(value, dict) else []
    return [row["link"] for row in rows if isinstance(row, dict) and isinstance(row.get("link"), list)]
