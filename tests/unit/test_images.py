"""Every file is read rightly, upright and in RGB, or refused with a sentence."""

import hashlib
import json
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from limbstudio.domain.errors import KnownError
from limbstudio.images import MAX_PHOTO_PIXELS, open_photo

_ORIENTATION = 0x112
# A picture without any symmetry: a wrong turn or mirror changes it.
_UPRIGHT = np.arange(6 * 4 * 3, dtype=np.uint8).reshape(6, 4, 3) * 3


def _stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """Return the pixels a camera stores so that EXIF's orientation shows them upright."""
    return {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a),
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }[orientation](upright).copy()


def _saved(picture: Image.Image, path: Path, **options) -> Path:
    picture.save(path, **options)
    return path


def _png(
    path: Path, width: int, height: int, *, depth: int, colour: int, rows: bytes, extra: bytes = b""
) -> Path:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_exif_orientation_is_turned_once(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    path = _saved(
        Image.fromarray(_stored(_UPRIGHT, orientation)), tmp_path / f"a.{suffix}", exif=exif, **options
    )

    photo = open_photo(path)

    assert (photo.width, photo.height) == (4, 6)
    np.testing.assert_array_equal(photo.pixels, _UPRIGHT)


def _quarters() -> np.ndarray:
    upright = np.zeros((64, 32, 3), np.uint8)
    upright[:32, :16] = (255, 0, 0)
    upright[32:, :16] = (0, 255, 0)
    upright[32:, 16:] = (0, 0, 255)
    return upright


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_is_turned_once(tmp_path, orientation):
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    path = _saved(
        Image.fromarray(_stored(_quarters(), orientation)), tmp_path / "a.avif", exif=exif, quality=95
    )

    photo = open_photo(path)

    assert photo.pixels.shape == (64, 32, 3)
    assert np.abs(photo.pixels.astype(int) - _quarters()).mean() < 12


def test_heif_is_turned_by_its_container_and_not_again_by_exif(tmp_path):
    from pillow_heif import register_heif_opener

    register_heif_opener()
    exif = Image.Exif()
    exif[_ORIENTATION] = 6  # as phones write it beside the container's own rotation

    photo = open_photo(_saved(Image.fromarray(_quarters()), tmp_path / "a.heic", exif=exif, quality=95))

    assert photo.pixels.shape == (64, 32, 3)
    assert np.abs(photo.pixels.astype(int) - _quarters()).mean() < 12


def test_the_name_of_the_file_does_not_decide_its_format(tmp_path):
    path = _saved(Image.fromarray(_UPRIGHT), tmp_path / "photo.jpg", format="PNG")

    np.testing.assert_array_equal(open_photo(path).pixels, _UPRIGHT)


def test_the_hash_is_of_the_bytes(tmp_path):
    path = _saved(Image.fromarray(_UPRIGHT), tmp_path / "a.png")

    assert open_photo(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_not_clipped(tmp_path, suffix):
    values = np.array([[0, 257, 32768, 65535]], np.uint16)

    photo = open_photo(_saved(Image.fromarray(values), tmp_path / f"a.{suffix}"))

    np.testing.assert_array_equal(photo.pixels[0, :, 0], [0, 1, 128, 255])
    np.testing.assert_array_equal(photo.pixels[..., 0], photo.pixels[..., 2])


def test_sixteen_bit_colour_and_its_transparent_value_are_read(tmp_path):
    rows = b"\0" + struct.pack(">9H", 65535, 0, 0, 0, 32768, 65535, 4000, 5000, 6000)
    body = struct.pack(">3H", 4000, 5000, 6000)
    transparent = struct.pack(">I", 6) + b"tRNS" + body + struct.pack(">I", zlib.crc32(b"tRNS" + body))

    photo = open_photo(_png(tmp_path / "a.png", 3, 1, depth=16, colour=2, rows=rows, extra=transparent))

    np.testing.assert_array_equal(photo.pixels[0], [[255, 0, 0], [0, 128, 255], [255, 255, 255]])


def test_sixteen_bit_grey_with_a_transparent_value_is_white_there(tmp_path):
    rows = b"\0" + struct.pack(">2H", 300, 32768)
    body = struct.pack(">H", 300)
    transparent = struct.pack(">I", 2) + b"tRNS" + body + struct.pack(">I", zlib.crc32(b"tRNS" + body))

    photo = open_photo(_png(tmp_path / "a.png", 2, 1, depth=16, colour=0, rows=rows, extra=transparent))

    np.testing.assert_array_equal(photo.pixels[0, :, 0], [255, 128])


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_are_laid_over_white(tmp_path, mode):
    colour = (100, 100, 100) if mode == "RGBA" else (100,)
    picture = Image.new(mode, (3, 1))
    for x, alpha in enumerate((0, 128, 255)):
        picture.putpixel((x, 0), (*colour, alpha))

    photo = open_photo(_saved(picture, tmp_path / "a.png"))

    np.testing.assert_array_equal(photo.pixels[0, :, 0], [255, 177, 100])


def test_a_palette_with_transparency_is_laid_over_white(tmp_path):
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 0])
    picture.putpixel((1, 0), 1)

    photo = open_photo(_saved(picture, tmp_path / "a.gif", transparency=0))

    np.testing.assert_array_equal(photo.pixels[0], [[255, 255, 255], [200, 100, 0]])


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_becomes_the_right_colours(tmp_path, suffix):
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))

    photo = open_photo(_saved(cyan, tmp_path / f"a.{suffix}"))

    assert np.abs(photo.pixels[8, 8].astype(int) - [0, 255, 255]).max() <= 3


def test_lab_becomes_the_right_colours(tmp_path):
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(Image.new("RGB", (8, 8), (180, 90, 40)), transform)

    photo = open_photo(_saved(lab, tmp_path / "a.tif"))

    assert np.abs(photo.pixels[4, 4].astype(int) - [180, 90, 40]).max() <= 3


@pytest.mark.parametrize(
    ("suffix", "word"), [("gif", "animated"), ("png", "animated"), ("webp", "animated"), ("tif", "pages")]
)
def test_only_the_first_of_several_pictures_is_read_and_said_so(tmp_path, suffix, word):
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    options = {"lossless": True} if suffix == "webp" else {}
    path = _saved(first, tmp_path / f"a.{suffix}", save_all=True, append_images=[second], **options)

    photo = open_photo(path)

    np.testing.assert_array_equal(photo.pixels[0, 0], [255, 0, 0])
    assert any(word in note for note in photo.notes)


def test_a_single_pixel_is_a_photo(tmp_path):
    assert open_photo(_saved(Image.new("RGB", (1, 1), "red"), tmp_path / "a.png")).pixels.tolist() == [
        [[255, 0, 0]]
    ]


def test_large_pictures_are_converted_in_strips_without_seams(tmp_path, monkeypatch):
    monkeypatch.setattr("limbstudio.images._STRIP_PIXELS", 10)
    rgba = np.dstack([_UPRIGHT, np.full((6, 4), 255, np.uint8)])

    np.testing.assert_array_equal(
        open_photo(_saved(Image.fromarray(rgba), tmp_path / "a.png")).pixels, _UPRIGHT
    )


def test_the_focal_length_is_read_from_exif(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 26
    path = _saved(Image.new("RGB", (400, 300)), tmp_path / "a.jpg", exif=exif)

    photo = open_photo(path)

    assert photo.focal_exif_px == pytest.approx(26 / 43.2666 * 500, rel=1e-4)
    assert photo.focal_exif_sigma == 0.03


def _png_bytes() -> bytes:
    buffer = BytesIO()
    Image.effect_noise((64, 64), 50).save(buffer, "PNG")
    return buffer.getvalue()


def _jpeg_bytes() -> bytes:
    buffer = BytesIO()
    Image.effect_noise((64, 64), 50).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.jpg", b"", "empty"),
        ("a.jpg", b"hello", "not a photo"),
        ("a.jpg", b'{"images": []}', "JSON"),
        ("a.jpg", b"%PDF-1.7", "PDF"),
        ("a.nef", b"II*\0aaaa", "camera raw"),
        ("a.png", _png_bytes()[:-30], "cut short"),
        ("a.png", _png_bytes()[:200] + b"x" + _png_bytes()[201:], "damaged"),
        ("a.jpg", _jpeg_bytes()[:-300], "damaged or incomplete"),
        ("a.jpg", _jpeg_bytes()[:100], "damaged or incomplete"),
        ("a.gif", b"GIF89a\x00\x00\x10\x00\x00\x00\x00", "GIF"),
    ],
)
def test_what_is_not_a_whole_photo_is_refused_with_a_reason_and_advice(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(KnownError) as refused:
        open_photo(path)

    assert name in refused.value.message
    assert words in refused.value.message
    assert refused.value.hint


def test_a_missing_photo_and_a_folder_are_refused(tmp_path):
    with pytest.raises(KnownError, match="There is no photo"):
        open_photo(tmp_path / "none.jpg")
    with pytest.raises(KnownError, match="is a folder"):
        open_photo(tmp_path)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.jpg")

    with pytest.raises(KnownError, match="not an ordinary file"):
        open_photo(tmp_path / "pipe.jpg")


@pytest.mark.parametrize(
    ("width", "height"), [(20_000, 20_000), (4_000_000_000, 4_000_000_000), (70_000, 10)]
)
def test_a_header_that_claims_too_much_is_refused_before_allocation(tmp_path, width, height):
    path = _png(tmp_path / "a.png", width, height, depth=8, colour=2, rows=b"\0")

    with pytest.raises(KnownError, match="megapixels"):
        open_photo(path)


def test_a_webp_with_a_huge_canvas_is_refused_before_the_decoder_allocates_it(tmp_path):
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + (16382).to_bytes(3, "little") * 2
    path = tmp_path / "a.webp"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)

    with pytest.raises(KnownError, match="16383 x 16383"):
        open_photo(path)


def test_the_pixel_limit_lets_todays_phones_through():
    assert MAX_PHOTO_PIXELS >= 12_032 * 9_024


def test_pillow_is_not_imported_with_the_module():
    code = "import sys, limbstudio.images; sys.exit('PIL' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---------------------------------------------------------------------------------------- real awkward files

_OPEN_ALL = """
import json, sys, time
from pathlib import Path
from limbstudio.domain.errors import KnownError
from limbstudio.images import open_photo
rows = []
for path in sorted(Path(sys.argv[1]).glob("*/*")):
    if path.parent.name in ("json", "mesh"):
        continue
    start = time.perf_counter()
    try:
        photo = open_photo(path)
        words = ""
    except KnownError as error:
        words = str(error)
    rows.append([path.name, words, time.perf_counter() - start])
# Not ru_maxrss: Linux lets that begin at the peak of whoever started this process.
peak_kb = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
print(json.dumps({"rows": rows, "peak_kb": peak_kb}))
"""


def test_every_awkward_file_is_read_or_refused_quickly_and_in_little_memory(shared_data):
    ran = subprocess.run(
        [sys.executable, "-c", _OPEN_ALL, str(shared_data / "real" / "awkward")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seen = json.loads(ran.stdout)

    assert len(seen["rows"]) > 50
    assert max(seconds for _, _, seconds in seen["rows"]) < 5
    assert seen["peak_kb"] < 2_000_000
    for name, words, _ in seen["rows"]:
        assert not words or (name in words and len(words.split(". ")) >= 2), (name, words)


@pytest.mark.parametrize(
    "name",
    [
        "bmp_bad/Bad_reallybig.bmp", "bmp_bad/Bad_shortfile.bmp", "heif/corrupted.heic",
        "heif/empty.heic", "heif/truncated.heic", "other/rgbr4x4.hdr", "pillow/badbitcount.bmp",
        "pillow/badwidth.bmp", "pillow/broken.png", "pillow/broken_data_stream.png",
        "pillow/decompression_bomb.gif", "pillow/decompression_bomb.ico",
        "pillow/negative_size.ppm", "pillow/png_decompression_dos.png", "pillow/seek_too_large.tif",
        "pillow/truncated_image.png", "pillow/truncated_jpeg.jpg", "pillow/ultrahdr.jpg",
        "pillow/zero_width.gif", "pillow/unknown_compression_method.png",
        "png_bugfixes/x_unexpected_eof.png", "png_bugfixes/x_ihdr_missing.png",
        "png_huge_header/huge_8961x26369.png", "png_huge_header/huge_4294967295x4294967295.png",
        "pngsuite/xc1n0g08.png", "pngsuite/xcsn0g01.png", "pngsuite/xdtn0g01.png",
        "pngsuite/xs1n0g01.png",
    ],
)  # fmt: skip
def test_damaged_real_files_are_refused(shared_data, name):
    path = shared_data / "real" / "awkward" / name
    if not path.exists():
        pytest.skip(f"needs the file {name}")

    with pytest.raises(KnownError):
        open_photo(path)


@pytest.mark.parametrize("number", range(2, 9))
def test_real_photos_of_every_orientation_show_the_same_scene(shared_data, number):
    folder = shared_data / "real" / "awkward" / "exif_orientation"
    path = folder / f"Landscape_{number}.jpg"
    if not path.exists():
        pytest.skip(f"needs the file {path.name}")
    reference = open_photo(folder / "Landscape_1.jpg").pixels.astype(int)

    photo = open_photo(path)

    assert (photo.width, photo.height) == (1800, 1200)
    # Each file carries its number as a drawn digit, so that not every pixel agrees.
    assert np.median(np.abs(photo.pixels.astype(int) - reference)) <= 6


@pytest.mark.parametrize(
    "name",
    [
        "hopper.avif", "hopper.heif", "hopper.psd", "hopper_16bit_qtables.jpg", "hopper.gif",
        "hopper.Lab.tif",
        "hopper_idat_after_image_end.png",
    ],
)  # fmt: skip
def test_one_picture_in_many_formats_looks_the_same(shared_data, name):
    path = shared_data / "real" / "awkward" / "pillow" / name
    if not path.exists():
        pytest.skip(f"needs the file {name}")
    reference = open_photo(shared_data / "real" / "awkward" / "pillow" / "hopper_bigtiff.tif").pixels.astype(
        int
    )

    photo = open_photo(path)

    assert (photo.width, photo.height) == (128, 128)
    assert np.abs(photo.pixels.astype(int) - reference).mean() < 12
