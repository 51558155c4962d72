"""JSON files as other programs write them: any Unicode encoding, and clear sentences for broken ones."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limbstudio.domain.errors import KnownError

MAX_JSON_BYTES = 256_000_000
"""All of COCO's person keypoints fit; larger files are split."""

# What is found under the name of a JSON file; a pickle can run any program, so none is ever opened.
_OTHERS = (
    (b"\x80", "a pickle of Python, which is never opened"),
    (b"\xff\xd8\xff", "a photo"),
    (b"\x89PNG", "a picture"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a compressed file"),
    (b"SQLite format 3", "a database"),
)
_JSON_WANTED = "Choose the JSON file that the annotations were exported to."
_AGAIN = "Export it again from the program that made it."


@dataclass(frozen=True)
class JsonDocument:
    """A parsed file. value: dicts, lists, str, int, float (NaN and infinities where written), bool, None."""

    value: Any
    warnings: tuple[str, ...] = ()


def read_json(path: Path | str) -> JsonDocument:
    """Parse a JSON file; KnownError if it is absent, empty, too large, cut short, or not JSON."""
    path = Path(path)
    return parse_json(_read_bytes(path), path.name)


def parse_json(data: bytes, name: str) -> JsonDocument:
    """Parse the bytes of a JSON file called `name`."""
    if not data.strip(b" \t\r\n\0"):
        raise KnownError(f"{name} is empty.", _AGAIN)
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        for start, what in _OTHERS:
            if data.startswith(start):
                raise KnownError(f"{name} is {what}, whatever its name says.", _JSON_WANTED) from error
        raise KnownError(
            f"{name} is not text: byte {error.start + 1} is no {encoding.upper()}.", "Save it as UTF-8."
        ) from error
    repeated: list[str] = []

    def collect(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs) and len(repeated) < 5:
            names = [key for key, _ in pairs]
            repeated.append(next(key for key in names if names.count(key) > 1))
        return found

    try:
        value = json.loads(text, object_pairs_hook=collect)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()):
            raise KnownError(f"{name} is cut short: it ends in line {error.lineno}.", _AGAIN) from error
        raise KnownError(
            f"{name} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.",
            "Correct that place, or export it again from the program that made it.",
        ) from error
    except RecursionError as error:
        raise KnownError(f"{name} nests its brackets too deeply to be an annotation file.", _AGAIN) from error
    except ValueError as error:  # integers of thousands of digits
        raise KnownError(f"{name} holds a number that is far too long.", _AGAIN) from error
    return JsonDocument(
        value,
        tuple(f"{name} gives “{clean(key)}” twice in one object; the last one counts." for key in repeated),
    )


def clean(text: str, limit: int = 200) -> str:
    """Return text fit for a message: no lone surrogates or control characters, not too long."""
    kept = re.sub(r"[\x00-\x1f\x7f]", " ", text.encode("utf-8", "replace").decode("utf-8"))
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def _read_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise KnownError(f"{path} is a folder, not an annotation file.", "Name the file in it.")
        if not path.exists():
            raise KnownError(f"There is no file {path}.", "Check the name and the folder.")
        if not path.is_file():
            raise KnownError(f"{path} is not an ordinary file.", "Name a file on the disk.")
        if path.stat().st_size > MAX_JSON_BYTES:
            raise KnownError(
                f"{path.name} has {path.stat().st_size / 1e6:.0f} MB, over the limit of "
                f"{MAX_JSON_BYTES / 1e6:.0f} MB.",
                "Split it into files with fewer photos.",
            )
        return path.read_bytes()
    except PermissionError as error:
        raise KnownError(f"{path} may not be read.", "Ask its owner for permission, or copy it.") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise KnownError(f"{path} cannot be read: {error}.", "Check the disk and the name.") from error
