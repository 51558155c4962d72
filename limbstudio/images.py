"""Photos as pixels: every file is read rightly, upright and in RGB, or refused with a sentence.

The size is checked against `MAX_PHOTO_PIXELS` before pixels are allocated, the format is known from the first
bytes and not from the name, and the EXIF orientation is turned here, once. Pillow reads; pillow-heif is
loaded for HEIF only.
"""

import hashlib
import importlib
import re
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from limbstudio.cameras import ExifFocal, exif_focal
from limbstudio.domain.errors import KnownError

if TYPE_CHECKING:
    from PIL import Image

MAX_PHOTO_PIXELS = 120_000_000
"""Above the 108 megapixels of today's phones; reading one at the limit stays below 1.5 GB."""

MAX_PHOTO_SIDE = 65_500
"""JPEG's own limit; longer sides are strips, not photos."""

MAX_FILE_BYTES = 400_000_000
MAX_SCANNED_PIXELS = 2_000_000_000
"""Pixels times scans of a progressive JPEG: a small file can ask for hours of decoding."""

_STRIP_PIXELS = 16_000_000  # converted at a time, so that the peak is one picture and one strip
_EXPORT = "Open it in a picture program and export it as JPEG or PNG."
_GET_ANOTHER = "Copy the file again from where it came, or export the photo anew as JPEG or PNG."

# What Pillow and its plugins raise on damaged files: their parsers let almost anything through.
_DAMAGED = (
    OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, AttributeError, EOFError,
    OverflowError, ZeroDivisionError, RuntimeError, AssertionError, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class LoadedPhoto:
    """A photo as pixels.

    pixels: (H, W, 3) uint8 RGB, upright. sha256: of the file's bytes. width, height: of the upright photo.
    focal_exif_px: focal length that EXIF states, in upright pixels, with the sigma of its logarithm; or None.
    orientation: EXIF orientation (1-8) that was turned. notes: what a person should know, as sentences.
    """

    pixels: np.ndarray
    sha256: str
    width: int
    height: int
    focal_exif_px: float | None = None
    focal_exif_sigma: float | None = None
    orientation: int = 1
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Format:
    """A file format that is read. module: the Pillow plugin. several: what is said of further pictures."""

    name: str
    module: str
    several: str = ""


_JPEG = _Format("JPEG", "PIL.JpegImagePlugin", "holds further pictures; the first")
_PNG = _Format("PNG", "PIL.PngImagePlugin", "is animated; its first frame")
_GIF = _Format("GIF", "PIL.GifImagePlugin", "is animated; its first frame")
_WEBP = _Format("WEBP", "PIL.WebPImagePlugin", "is animated; its first frame")
_TIFF = _Format("TIFF", "PIL.TiffImagePlugin", "has several pages; the first")
_BMP = _Format("BMP", "PIL.BmpImagePlugin")
_PPM = _Format("PPM", "PIL.PpmImagePlugin")
_JPEG2000 = _Format("JPEG2000", "PIL.Jpeg2KImagePlugin")
_PSD = _Format("PSD", "PIL.PsdImagePlugin", "has layers; the flattened picture")
_AVIF = _Format("AVIF", "PIL.AvifImagePlugin", "is animated; its first frame")
_HEIF = _Format("HEIF", "pillow_heif.as_plugin", "holds further pictures; the main one")

_MAGIC: tuple[tuple[bytes, _Format], ...] = (
    (rb"\xff\xd8\xff", _JPEG),
    (rb"\x89PNG\r\n\x1a\n", _PNG),
    (rb"GIF8[79]a", _GIF),
    (rb"RIFF.{4}WEBP", _WEBP),
    (rb"II[*+]\0|MM\0[*+]", _TIFF),
    (rb"BM", _BMP),
    (rb"P[1-6]\s", _PPM),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", _JPEG2000),
    (rb"8BPS", _PSD),
)
# Files that people do drop, named so that the message says what they are.
_NOT_PHOTOS: tuple[tuple[bytes, str], ...] = (
    (rb"#\?RADIANCE|#\?RGBE", "a Radiance HDR picture"),
    (rb"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (rb"\0\0\x01\0", "an icon"),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "a JPEG XL picture"),
    (rb"%PDF", "a PDF document"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript document"),
    (rb"PK\x03\x04", "a ZIP archive or office document"),
    (rb"\x1a\x45\xdf\xa3|RIFF.{4}AVI |.{4}ftyp(?:isom|mp4|qt  |M4V|iso[2-9])", "a video"),
    (rb"FUJIFILMCCD-RAW|.{4}ftypcrx ", "a camera raw file"),
    (rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|svg|!DOCTYPE|html)", "an SVG, XML or HTML text"),
    (rb"(?:\xef\xbb\xbf)?\s*[\[{]", "a JSON text"),
    (rb"ply\r?\n|solid ", "a mesh"),
)
_RAW_SUFFIXES = frozenset(
    {".dng", ".nef", ".cr2", ".cr3", ".arw", ".orf", ".rw2", ".pef", ".srw", ".raf", ".3fr", ".iiq"}
)
_AVIF_BRANDS, _HEIF_BRANDS = (
    {b"avif", b"avis"},
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"},
)

_ORIENTATION, _EXIF_IFD, _SUBFILE_TYPE, _BITS, _PHOTOMETRIC, _DNG_VERSION = (
    0x112,
    0x8769,
    254,
    258,
    262,
    50706,
)


def open_photo(path: Path | str) -> LoadedPhoto:
    """Read a photo as upright RGB pixels.

    KnownError if the file cannot be read rightly: absent, empty, damaged, cut short, too large, no photo.
    """
    path = Path(path)
    data = _read_bytes(path)
    kind = _format_of(data, path)
    _refuse_traps(data, kind, path)
    # Pillow warns about what is noted or refused here; a library must not print.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    importlib.import_module(kind.module)
    from PIL import Image  # not at module import: `limbstudio --help` needs no pictures

    if kind is _HEIF:
        from pillow_heif import register_heif_opener

        register_heif_opener()
    try:
        picture = Image.open(BytesIO(data), formats=[kind.name])
    except Image.DecompressionBombError as error:
        raise KnownError(f"{path.name} says it is far larger than any photo.", _GET_ANOTHER) from error
    except _DAMAGED as error:
        raise _damaged(path, kind, data) from error
    with picture:
        _refuse_size(picture.size, path)
        _refuse_thumbnails(picture, path)
        try:
            picture.load()
            _refuse_size(picture.size, path)  # some plugins learn the true size while they decode
            orientation, tags, notes = _read_exif(picture, path)
            upright = _turned(picture, orientation)
            pixels = _rgb(upright, _full_scale(picture, path))
        except Image.DecompressionBombError as error:
            raise KnownError(f"{path.name} holds a picture far larger than it says.", _GET_ANOTHER) from error
        except MemoryError as error:
            raise KnownError(
                f"There is not enough memory to read {path.name}.",
                "Close other programs, or make it smaller.",
            ) from error
        except _DAMAGED as error:
            raise _damaged(path, kind, data) from error
        if kind.several and _has_several(picture):
            notes.append(f"{path.name} {kind.several} was read.")
    height, width = pixels.shape[:2]
    focal: ExifFocal | None = exif_focal(tags, (width, height))
    if focal is not None and focal.note:
        notes.append(f"The focal length in {path.name} is uncertain: {focal.note}.")
    return LoadedPhoto(
        pixels,
        hashlib.sha256(data).hexdigest(),
        width,
        height,
        None if focal is None else focal.focal_px,
        None if focal is None else focal.sigma,
        orientation,
        tuple(notes),
    )


@dataclass(frozen=True, eq=False)
class PhotoDraft:
    """A small copy of a photo that was read quickly. pixels: (h, w, 3) uint8 RGB, upright. sha256: of the file."""

    pixels: np.ndarray
    sha256: str


def open_draft(path: Path | str, *, side: int = 1000) -> PhotoDraft | None:
    """Read a small copy of a photo, its longer side at least `side` px; None where that is not quicker than all of it.

    Only JPEG holds what a small copy needs apart. KnownError as of `open_photo`.
    """
    path = Path(path)
    data = _read_bytes(path)
    kind = _format_of(data, path)
    if kind is not _JPEG:
        return None
    _refuse_traps(data, kind, path)
    importlib.import_module(kind.module)
    from PIL import Image

    try:
        with Image.open(BytesIO(data), formats=[kind.name]) as picture:
            _refuse_size(picture.size, path)
            longer = max(picture.size)
            picture.draft(None, (side * picture.width // longer, side * picture.height // longer))
            picture.load()
            orientation, _, _ = _read_exif(picture, path)
            pixels = _rgb(_turned(picture, orientation), None)
    except (Image.DecompressionBombError, MemoryError, *_DAMAGED) as error:
        raise _damaged(path, kind, data) from error
    return PhotoDraft(pixels, hashlib.sha256(data).hexdigest())


# --------------------------------------------------------------------------------------------- the file


def _read_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise KnownError(f"{path} is a folder, not a photo.", "Name the photos in it.")
        if not path.exists():
            raise KnownError(f"There is no photo {path}.", "Check the name and the folder.")
        if not path.is_file():  # a pipe or a device would never end
            raise KnownError(f"{path} is not an ordinary file.", "Name a photo on the disk.")
        size = path.stat().st_size
        if size == 0:
            raise KnownError(f"{path.name} is empty (0 bytes).", _GET_ANOTHER)
        if size > MAX_FILE_BYTES:
            raise KnownError(
                f"{path.name} has {size / 1e6:.0f} MB; photos are read up to {MAX_FILE_BYTES / 1e6:.0f} MB.",
                _EXPORT,
            )
        return path.read_bytes()
    except PermissionError as error:
        raise KnownError(f"{path} may not be read.", "Ask its owner for permission, or copy it.") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise KnownError(f"{path} cannot be read: {error}.", "Check the disk and the name.") from error


def _format_of(data: bytes, path: Path) -> _Format:
    """Return the format by the first bytes: names lie."""
    if path.suffix.lower() in _RAW_SUFFIXES:
        raise KnownError(f"{path.name} is a camera raw file.", "Develop it and export it as JPEG or PNG.")
    head = data[:256]
    for pattern, kind in _MAGIC:
        if re.match(pattern, head, re.DOTALL):
            return kind
    if data[4:8] == b"ftyp":
        end = min(max(int.from_bytes(data[:4], "big"), 16), 256)
        brands = {data[8:12], *(data[i : i + 4] for i in range(16, end - 3, 4))}
        if data[8:12] in _AVIF_BRANDS or (
            brands & _AVIF_BRANDS and data[8:12] not in _HEIF_BRANDS - {b"mif1", b"msf1"}
        ):
            return _AVIF
        if brands & _HEIF_BRANDS:
            return _HEIF
    for pattern, what in _NOT_PHOTOS:
        if re.match(pattern, head, re.DOTALL):
            raise KnownError(f"{path.name} is {what}, not a photo that can be read.", _EXPORT)
    raise KnownError(f"{path.name} is not a photo: its content is of no known picture format.", _EXPORT)


def _refuse_traps(data: bytes, kind: _Format, path: Path) -> None:
    """Refuse what a decoder would choke on or pass over in silence, before it allocates anything."""
    if kind is _PNG:
        _check_png(data, path)
    elif kind in (_AVIF, _HEIF):
        _check_boxes(data, kind, path)
    elif kind is _WEBP:
        _refuse_size(_webp_size(data), path)  # the decoder allocates its canvas while it opens
        if int.from_bytes(data[4:8], "little") + 8 > len(data):
            raise _cut_short(path, kind)
    elif kind is _JPEG:
        # In entropy-coded data 0xFF is followed by 0 or a restart marker, so this counts true scans.
        scans, size = data.count(b"\xff\xda"), _jpeg_size(data)
        if size and size[0] * size[1] * scans > MAX_SCANNED_PIXELS and scans > 20:
            raise KnownError(
                f"{path.name} is a progressive JPEG with {scans} passes, which would take minutes to read.",
                _EXPORT,
            )


def _check_png(data: bytes, path: Path) -> None:
    """Walk the chunks: size in the header, checksums of what carries pixels, and the end."""
    if data[12:16] == b"IHDR" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        if width and height:
            _refuse_size((width, height), path)
    at, ended = 8, False
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        name, end = data[at + 4 : at + 8], at + 8 + length
        if end + 4 > len(data):
            break
        if (
            name[:1].isupper()
            and zlib.crc32(data[at + 4 : end]) != struct.unpack(">I", data[end : end + 4])[0]
        ):
            raise KnownError(
                f"{path.name} is damaged: the checksum of {name.decode('ascii', 'replace')} is wrong.",
                _GET_ANOTHER,
            )
        if name == b"IEND":
            ended = True
            break
        at = end + 4
    if not ended:
        raise _cut_short(path, _PNG)


def _check_boxes(data: bytes, kind: _Format, path: Path) -> None:
    """Refuse an ISO media file whose outermost boxes reach beyond its end: decoders fill the gap."""
    at = 0
    while at + 8 <= len(data):
        length, header = int.from_bytes(data[at : at + 4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if length == 0:  # to the end of the file
            return
        if length < header or at + length > len(data):
            raise _cut_short(path, kind)
        at += length


def _webp_size(data: bytes) -> tuple[int, int]:
    def three(at: int) -> int:
        return int.from_bytes(data[at : at + 3], "little") + 1

    if data[12:16] == b"VP8X":
        return three(24), three(27)
    return 1, 1  # a simple file: at most 16383 x 16383, and nothing is allocated before Pillow says its size


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _refuse_size(size: tuple[int, int], path: Path) -> None:
    width, height = size
    if width <= 0 or height <= 0:
        raise KnownError(f"{path.name} has no pixels ({width} x {height}).", _GET_ANOTHER)
    if width * height > MAX_PHOTO_PIXELS or max(size) > MAX_PHOTO_SIDE:
        raise KnownError(
            f"{path.name} says it has {width} x {height} pixels ({width * height / 1e6:,.0f} megapixels); "
            f"the limit is {MAX_PHOTO_PIXELS // 1_000_000} megapixels and {MAX_PHOTO_SIDE} pixels a side.",
            "Export it smaller, as JPEG or PNG.",
        )


def _refuse_thumbnails(picture: "Image.Image", path: Path) -> None:
    """Refuse camera raw files in TIFF's clothes: their first picture is a thumbnail."""
    tags = getattr(picture, "tag_v2", None)
    if tags is None:
        return
    subfile = tags.get(_SUBFILE_TYPE)
    if _DNG_VERSION in tags or (isinstance(subfile, int) and subfile & 1):
        raise KnownError(
            f"{path.name} is a camera raw file; its first picture is a thumbnail.",
            "Develop it and export it as JPEG or PNG.",
        )


def _cut_short(path: Path, kind: _Format) -> KnownError:
    return KnownError(
        f"{path.name} is cut short: the {kind.name} data ends before the picture does.", _GET_ANOTHER
    )


def _damaged(path: Path, kind: _Format, data: bytes) -> KnownError:
    return KnownError(
        f"{path.name} ({len(data):,} bytes) is a damaged or incomplete {kind.name} file.", _GET_ANOTHER
    )


# ------------------------------------------------------------------------------------- EXIF and frames


def _read_exif(picture: "Image.Image", path: Path) -> tuple[int, Mapping[int, object], list[str]]:
    """Return the orientation still to be turned, the EXIF tags and notes.

    Read after the pixels: PNG may hold EXIF behind them, and Pillow's TIFF reader has turned the picture.
    HEIF's own rotation was applied by its decoder; by its standard EXIF's orientation does not count.
    """
    try:
        exif = picture.getexif()
        orientation = exif.get(_ORIENTATION, 1)
        tags = dict(exif.get_ifd(_EXIF_IFD))
    except _DAMAGED:
        return (
            1,
            {},
            [f"The EXIF data of {path.name} is damaged: taken as upright, with unknown focal length."],
        )
    if orientation in (None, 0):  # 0 is written by some programs for "unknown"
        orientation = 1
    if orientation not in range(1, 9):
        return (
            1,
            tags,
            [f"{path.name} has the orientation {orientation!r}, which does not exist: taken as upright."],
        )
    return int(orientation), tags, []


def _turned(picture: "Image.Image", orientation: int) -> "Image.Image":
    """Return the picture as EXIF's orientation wants it shown."""
    from PIL.Image import Transpose

    turn = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return picture if turn is None else picture.transpose(turn)


def _has_several(picture: "Image.Image") -> bool:
    try:
        return bool(getattr(picture, "is_animated", False))
    except _DAMAGED:  # a broken second frame; the first was read
        return True


# ---------------------------------------------------------------------------------------------- to RGB


@dataclass(frozen=True)
class _Scale:
    """How deep grey values become 8 bits: the value of white, and whether black and white are exchanged."""

    white: float
    inverted: bool = False


def _full_scale(picture: "Image.Image", path: Path) -> _Scale | None:
    """Return the scale of a picture with more than 8 bits in a single channel; None for all others."""
    mode, tags = picture.mode, getattr(picture, "tag_v2", {})
    if mode.startswith("I;16"):
        bits = tags.get(_BITS, (16,))[0]
        return _Scale(2.0**bits - 1 if 8 < bits < 16 else 65535.0, tags.get(_PHOTOMETRIC) == 0)
    if mode == "I" and not tags:  # 16-bit PGM and PNG
        return _Scale(65535.0)
    if mode in ("I", "F"):
        extrema = np.asarray(picture)
        low, high = float(extrema.min()), float(extrema.max())
        if mode == "F" and 0 <= low <= high <= 1:
            return _Scale(1.0)
        if mode == "I" and 0 <= low <= high <= 65535 and tags.get(_BITS, (32,))[0] <= 16:
            return _Scale(65535.0)
        raise KnownError(
            f"{path.name} holds {'floating-point' if mode == 'F' else '32-bit'} values of unknown range.",
            _EXPORT,
        )
    return None


def _rgb(picture: "Image.Image", scale: _Scale | None) -> np.ndarray:
    """Return the picture as (H, W, 3) uint8, transparent parts over white, strip by strip."""
    width, height = picture.size
    pixels = np.empty((height, width, 3), np.uint8)
    for top, bottom in _strips(width, height):
        whole = top == 0 and bottom == height
        part = picture if whole else picture.crop((0, top, width, bottom))
        pixels[top:bottom] = _rgb_of_depth(part, scale) if scale else _rgb_of_strip(part)
    return pixels


def _strips(width: int, height: int) -> Iterator[tuple[int, int]]:
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        yield top, min(top + rows, height)


def _rgb_of_strip(part: "Image.Image") -> np.ndarray:
    transparency = part.info.get("transparency")
    if isinstance(transparency, tuple) and max(transparency) > 255:
        part.info["transparency"] = tuple(
            value >> 8 for value in transparency
        )  # 16-bit RGB was read as its high bytes
    if part.mode in ("RGBA", "LA", "PA", "La", "RGBa") or transparency is not None:
        plain = part.mode == "RGBA" and transparency is None
        return _over_white(np.asarray(part if plain else part.convert("RGBA")))
    if part.mode == "LAB":
        return np.asarray(_lab_to_rgb(part))
    return np.asarray(part if part.mode == "RGB" else part.convert("RGB"))


def _rgb_of_depth(part: "Image.Image", scale: _Scale) -> np.ndarray:
    values = np.asarray(part).astype(np.float32)
    grey = np.rint(np.clip(values / scale.white, 0, 1) * 255).astype(np.uint8)
    if scale.inverted:
        grey = 255 - grey
    transparent = part.info.get("transparency")
    if isinstance(transparent, int):
        grey = np.where(values == transparent, np.uint8(255), grey)
    return grey[:, :, None]


def _over_white(rgba: np.ndarray) -> np.ndarray:
    """Blend (..., 4) uint8 over white, rounded."""
    alpha = rgba[..., 3:]
    if alpha.min() == 255:
        return rgba[..., :3]
    shade = (255 - rgba[..., :3]).astype(np.uint16) * alpha
    return (255 - (shade + 127) // 255).astype(np.uint8)


def _lab_to_rgb(part: "Image.Image") -> "Image.Image":
    from PIL import ImageCms  # loads the colour engine, which few photos need

    transform = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    turned = ImageCms.applyTransform(part, transform)
    if turned is None:  # only with inPlace
        raise ValueError("no picture")
    return turned
