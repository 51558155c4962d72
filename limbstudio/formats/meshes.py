"""Triangle meshes as files: PLY and GLB written, PLY, OBJ and STL read.

Vertices stay as they are given: no merging, no reordering, no repairs. Only STL, which repeats every corner,
has equal positions joined, because its triangles are connected in no other way.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from limbstudio.domain.errors import KnownError
from limbstudio.formats.whole_files import write_whole

MAX_MESH_BYTES = 500_000_000
MAX_VERTICES = 20_000_000

SKIN_RGB = (214, 187, 170)
RESIDUAL_RGB = (222, 121, 58)

_AGAIN = "Export the mesh again from the program that made it."


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle mesh: vertices (V, 3) float64, faces (F, 3) int32, residual (V,) bool if the file has it."""

    vertices: NDArray[np.float64]
    faces: NDArray[np.int32]
    residual: NDArray[np.bool_] | None = None
    comments: tuple[str, ...] = ()


# --------------------------------------------------------------------------------------------------- writing


def write_ply(
    path: Path | str,
    vertices: ArrayLike,
    faces: ArrayLike,
    *,
    residual: ArrayLike | None = None,
    comments: Sequence[str] = ("units metres",),
) -> None:
    """Write a binary PLY, whole or not at all.

    vertices: (V, 3), stored as float32. faces: (F, 3). residual: (V,) bool, the uchar vertex property
    `residual`, 1 on the residual surface. comments: units and frame, one line each.
    """
    points, triangles = _checked(vertices, faces)
    fields = [("x", "<f4"), ("y", "<f4"), ("z", "<f4")]
    header = ["ply", "format binary_little_endian 1.0", "comment written by LimbStudio"]
    header += [f"comment {' '.join(line.split())}" for line in comments]
    header += [f"element vertex {len(points)}", *(f"property float {axis}" for axis in "xyz")]
    if residual is not None:
        fields.append(("residual", "u1"))
        header.append("property uchar residual")
    header += [f"element face {len(triangles)}", "property list uchar int vertex_indices", "end_header", ""]
    table = np.zeros(len(points), dtype=fields)
    for column, axis in enumerate("xyz"):
        table[axis] = points[:, column]
    if residual is not None:
        table["residual"] = np.asarray(residual, dtype=bool)
    polygons = np.zeros(len(triangles), dtype=[("n", "u1"), ("corners", "<i4", 3)])
    polygons["n"], polygons["corners"] = 3, triangles
    write_whole(path, "\n".join(header).encode("utf-8") + table.tobytes() + polygons.tobytes())


def write_glb(
    path: Path | str,
    vertices: ArrayLike,
    faces: ArrayLike,
    *,
    residual: ArrayLike | None = None,
    name: str = "body",
) -> None:
    """Write a binary glTF 2.0 file, whole or not at all.

    vertices: (V, 3) metres, y up, x to the viewer's right, z to the viewer, as glTF wants. faces: (F, 3),
    counter-clockwise from outside. residual: (V,) bool; the residual surface gets its own vertex colour.
    """
    points, triangles = _checked(vertices, faces)
    positions = points.astype("<f4")
    colours = np.tile(np.array([*SKIN_RGB, 255], dtype=np.uint8), (len(points), 1))
    if residual is not None:
        colours[np.asarray(residual, dtype=bool)] = [*RESIDUAL_RGB, 255]
    colours[:, :3] = np.rint(_linear(colours[:, :3]) * 255)  # glTF's vertex colours are linear
    parts = [
        positions.tobytes(),
        _vertex_normals(points, triangles).astype("<f4").tobytes(),
        colours.tobytes(),
        triangles.astype("<u4").tobytes(),
    ]
    offsets = np.cumsum([0, *map(len, parts)])
    accessors = [
        {"bufferView": 0, "componentType": 5126, "count": len(points), "type": "VEC3"},
        {"bufferView": 1, "componentType": 5126, "count": len(points), "type": "VEC3"},
        {"bufferView": 2, "componentType": 5121, "normalized": True, "count": len(points), "type": "VEC4"},
        {"bufferView": 3, "componentType": 5125, "count": triangles.size, "type": "SCALAR"},
    ]
    if len(points):
        accessors[0] |= {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()}
    targets = [34962, 34962, 34962, 34963]
    document = {
        "asset": {"version": "2.0", "generator": "LimbStudio"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": name}],
        "meshes": [
            {
                "name": name,
                "primitives": [
                    {"attributes": {"POSITION": 0, "NORMAL": 1, "COLOR_0": 2}, "indices": 3, "material": 0}
                ],
            }
        ],
        "materials": [
            {"name": "skin", "pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.8}}
        ],
        "accessors": accessors,
        "bufferViews": [
            {"buffer": 0, "byteOffset": int(offset), "byteLength": len(part), "target": target}
            for offset, part, target in zip(offsets, parts, targets, strict=False)
        ],
        "buffers": [{"byteLength": int(offsets[-1])}],
    }
    text = json.dumps(document, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 4)
    binary = b"".join(parts)  # every part is a multiple of four bytes
    chunks = (
        struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    )
    write_whole(path, struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)


def _checked(vertices: ArrayLike, faces: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the arrays of a mesh; ValueError for a mesh that no reader could use, which is our mistake."""
    points, triangles = np.asarray(vertices, dtype=float), np.asarray(faces, dtype=np.int64)
    points, triangles = points.reshape(-1, 3), triangles.reshape(-1, 3)
    if not np.isfinite(points).all():
        raise ValueError("a vertex is not finite")
    if triangles.size and (triangles.min() < 0 or triangles.max() >= len(points)):
        raise ValueError("a face names a vertex that does not exist")
    return points, triangles


def _vertex_normals(points: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return unit normals by area; +y where a vertex has none, because glTF demands unit length."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    across = np.cross(b - a, c - a)
    normals = np.zeros_like(points)
    for corner in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(triangles[:, corner], across[:, axis], len(points))
    lengths = np.linalg.norm(normals, axis=1)
    normals[lengths == 0] = (0, 1, 0)
    lengths[lengths == 0] = 1
    return normals / lengths[:, None]


def _linear(srgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return linear light of sRGB bytes (IEC 61966-2-1)."""
    value = srgb / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


# --------------------------------------------------------------------------------------------------- reading


def read_mesh(path: Path | str) -> Mesh:
    """Read a PLY, OBJ or STL file as it is; KnownError if it is damaged, or holds no triangles."""
    path = Path(path)
    readers = {".ply": _read_ply, ".obj": _read_obj, ".stl": _read_stl}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise KnownError(f"{path.name} is of no known mesh format.", "Give a PLY, OBJ or STL file.")
    data = _read_bytes(path)
    try:
        mesh = reader(data, path.name)
    except (ValueError, IndexError, KeyError, OverflowError, struct.error, UnicodeDecodeError) as error:
        raise KnownError(f"{path.name} is damaged or cut short: {error}.", _AGAIN) from error
    if not len(mesh.vertices):
        raise KnownError(f"{path.name} is a mesh without vertices.", _AGAIN)
    if not len(mesh.faces):
        raise KnownError(
            f"{path.name} holds points but no faces.", "Export it as a surface, not as a point cloud."
        )
    if not np.isfinite(mesh.vertices).all():
        raise KnownError(f"{path.name} has vertices at no place (NaN or infinite).", _AGAIN)
    if mesh.faces.min() < 0 or mesh.faces.max() >= len(mesh.vertices):
        raise KnownError(f"{path.name} has faces that name vertices which do not exist.", _AGAIN)
    return mesh


def _read_bytes(path: Path) -> bytes:
    try:
        if not path.exists():
            raise KnownError(f"There is no mesh {path}.", "Check the name and the folder.")
        if not path.is_file():
            raise KnownError(f"{path} is not an ordinary file.", "Name a file on the disk.")
        size = path.stat().st_size
        if size == 0:
            raise KnownError(f"{path.name} is empty (0 bytes).", _AGAIN)
        if size > MAX_MESH_BYTES:
            raise KnownError(
                f"{path.name} has {size / 1e6:.0f} MB, over the limit of {MAX_MESH_BYTES / 1e6:.0f} MB.",
                "Reduce the mesh in the program that made it.",
            )
        return path.read_bytes()
    except PermissionError as error:
        raise KnownError(f"{path} may not be read.", "Ask its owner for permission, or copy it.") from error
    except (OSError, ValueError) as error:
        raise KnownError(f"{path} cannot be read: {error}.", "Check the disk and the name.") from error


def _triangles(polygons: Sequence[Sequence[int]]) -> NDArray[np.int32]:
    """Return polygons as fans of triangles."""
    fans = [(p[0], p[i], p[i + 1]) for p in polygons for i in range(1, len(p) - 1)]
    return np.array(fans, dtype=np.int64).reshape(-1, 3).astype(np.int32)


# --- PLY

_PLY_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8", "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip


@dataclass(frozen=True)
class _Element:
    """An element of a PLY header. properties: (name, numpy type, numpy type of the list's length or None)."""

    name: str
    count: int
    properties: tuple[tuple[str, str, str | None], ...]


def _read_ply(data: bytes, name: str) -> Mesh:
    if not data.startswith(b"ply"):
        raise KnownError(f"{name} is no PLY file: it does not begin with “ply”.", _AGAIN)
    end = data.find(b"end_header")
    if end < 0:
        raise KnownError(f"{name} has no end of its PLY header.", _AGAIN)
    newline = data.find(b"\n", end)
    at = len(data) if newline < 0 else newline + 1
    lines = [line.split() for line in data[:end].decode("ascii", "replace").splitlines()]
    encoding = next((line[1] for line in lines if line[:1] == ["format"] and len(line) > 1), "")
    comments = tuple(" ".join(line[1:]) for line in lines if line[:1] == ["comment"])
    elements = _ply_elements(lines)
    if encoding == "ascii":
        columns = _ply_ascii(data[at:].split(), elements)
    elif encoding in ("binary_little_endian", "binary_big_endian"):
        columns = _ply_binary(data, at, elements, "<" if encoding.endswith("little_endian") else ">")
    else:
        raise KnownError(f"{name} has the PLY encoding “{encoding}”, which is not known.", _AGAIN)
    vertex, face = columns.get("vertex", {}), columns.get("face", {})
    axes = [np.asarray(vertex[axis], dtype=float) for axis in "xyz"] if "x" in vertex else [np.zeros(0)] * 3
    corners = face.get("vertex_indices", face.get("vertex_index", []))
    flags = vertex.get("residual")
    return Mesh(
        np.column_stack(axes),
        corners.astype(np.int32) if isinstance(corners, np.ndarray) else _triangles(corners),
        None if flags is None else np.asarray(flags) != 0,
        comments,
    )


def _ply_elements(lines: Sequence[Sequence[str]]) -> list[_Element]:
    elements: list[_Element] = []
    for line in lines:
        if line[:1] == ["element"]:
            count = int(line[2])
            if not 0 <= count <= 3 * MAX_VERTICES:
                raise ValueError(f"it claims {count} elements “{line[1]}”")
            elements.append(_Element(line[1], count, ()))
        elif line[:1] == ["property"] and elements:
            one = elements[-1]
            listed = line[1] == "list"
            new = (line[-1], _PLY_TYPES[line[-2]], _PLY_TYPES[line[2]] if listed else None)
            elements[-1] = _Element(one.name, one.count, (*one.properties, new))
    return elements


_Columns = dict[str, dict[str, "NDArray[np.generic] | list[list[int]]"]]


def _ply_binary(data: bytes, at: int, elements: Sequence[_Element], order: str) -> _Columns:
    columns: _Columns = {}
    for element in elements:
        lists = [p for p in element.properties if p[2] is not None]
        if not lists:
            row = np.dtype([(name, order + kind) for name, kind, _ in element.properties])
            table = np.frombuffer(data, row, element.count, at) if element.count else np.zeros(0, row)
            columns[element.name] = {name: table[name] for name, _, _ in element.properties}
            at += row.itemsize * element.count
            continue
        fast = _ply_all_triangles(data, at, element, order)
        if fast is not None:
            columns[element.name], at = fast
        else:
            columns[element.name], at = _ply_row_by_row(data, at, element, order)
    return columns


def _ply_all_triangles(
    data: bytes, at: int, element: _Element, order: str
) -> tuple[dict[str, "NDArray[np.generic] | list[list[int]]"], int] | None:
    """Read a list element at once, if every list has three entries; None if not."""
    row = np.dtype(
        [
            field
            for name, kind, length in element.properties
            for field in (
                [(name, order + kind)]
                if length is None
                else [(f"{name} n", order + length), (name, order + kind, 3)]
            )
        ]
    )
    if at + row.itemsize * element.count > len(data):
        return None
    table = np.frombuffer(data, row, element.count, at)
    if any((table[f"{name} n"] != 3).any() for name, _, length in element.properties if length is not None):
        return None
    return {name: table[name] for name, _, _ in element.properties}, at + row.itemsize * element.count


def _ply_row_by_row(
    data: bytes, at: int, element: _Element, order: str
) -> tuple[dict[str, "NDArray[np.generic] | list[list[int]]"], int]:
    found: dict[str, list[list[int]]] = {name: [] for name, _, _ in element.properties}
    codes = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d"}
    for _ in range(element.count):
        for name, kind, length in element.properties:
            count = 1
            if length is not None:
                (count,) = struct.unpack_from(order + codes[length], data, at)
                at += int(length[1])
            found[name].append(list(struct.unpack_from(f"{order}{int(count)}{codes[kind]}", data, at)))
            at += int(kind[1]) * int(count)
    return dict(found), at


def _ply_ascii(words: Sequence[bytes], elements: Sequence[_Element]) -> _Columns:
    columns: _Columns = {}
    at = 0
    for element in elements:
        plain = all(length is None for _, _, length in element.properties)
        width = len(element.properties)
        if plain:
            if at + width * element.count > len(words):
                raise ValueError(f"fewer “{element.name}” than the header says")
            table = np.array(words[at : at + width * element.count], dtype=float).reshape(
                element.count, width
            )
            columns[element.name] = {p[0]: table[:, i] for i, p in enumerate(element.properties)}
            at += width * element.count
            continue
        found: dict[str, list[list[int]]] = {name: [] for name, _, _ in element.properties}
        for _ in range(element.count):
            for name, _, length in element.properties:
                count = 1
                if length is not None:
                    count, at = int(words[at]), at + 1
                row = [int(float(word)) for word in words[at : at + count]]
                if len(row) != count:
                    raise ValueError(f"fewer “{element.name}” than the header says")
                found[name].append(row)
                at += count
        columns[element.name] = dict(found)
    return columns


# --- OBJ


def _read_obj(data: bytes, name: str) -> Mesh:
    """Read positions and faces; colours, normals, textures and groups are left out."""
    vertices: list[tuple[float, float, float]] = []
    polygons: list[list[int]] = []
    for number, line in enumerate(data.decode("utf-8", "replace").replace("\\\n", " ").splitlines(), 1):
        words = line.split()
        if not words or words[0] not in ("v", "f"):
            continue
        try:
            if words[0] == "v":
                vertices.append((float(words[1]), float(words[2]), float(words[3])))
            else:
                corners = [int(word.split("/")[0]) for word in words[1:]]
                polygons.append([c - 1 if c > 0 else len(vertices) + c for c in corners])
        except (ValueError, IndexError) as error:
            raise KnownError(
                f"{name}, line {number}, is no {words[0]}-line of an OBJ file.", _AGAIN
            ) from error
    return Mesh(np.array(vertices, dtype=float).reshape(-1, 3), _triangles(polygons))


# --- STL


def _read_stl(data: bytes, name: str) -> Mesh:
    """Read a binary or text STL and join equal corners."""
    count = int.from_bytes(data[80:84], "little") if len(data) >= 84 else -1
    if len(data) >= 84 and 84 + 50 * count == len(data):
        row = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
        corners = np.frombuffer(data, row, count, 84)["corners"].reshape(-1, 3)
    elif data.lstrip().startswith(b"solid"):
        words = data.split()
        at = [i for i, word in enumerate(words) if word == b"vertex"]
        if at and at[-1] + 3 >= len(words):
            raise ValueError("its last vertex is not whole")
        corners = np.array([words[i + 1 : i + 4] for i in at], dtype=float).reshape(-1, 3)
    elif count >= 0:
        raise ValueError(f"it says {count} triangles and has room for {(len(data) - 84) / 50:.1f}")
    else:
        raise KnownError(f"{name} is no STL file.", _AGAIN)
    if len(corners) % 3:
        raise ValueError("its last triangle is not whole")
    vertices, index = np.unique(corners, axis=0, return_inverse=True)
    return Mesh(vertices.astype(float), index.reshape(-1, 3).astype(np.int32))
