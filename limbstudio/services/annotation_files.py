"""Annotation files of other tools, found and read; large ones in a process of their own, piece by piece.

Parsing hundreds of megabytes of JSON holds Python's one lock for many seconds at a time: in a thread beside the window
it would stop the window too.
"""

import multiprocessing
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from limbstudio.domain.errors import KnownError
from limbstudio.services import machine
from limbstudio.services.jobs import Context

if TYPE_CHECKING:
    from limbstudio.formats.annotated import AnnotatedImage, AnnotatedPerson, Annotations

# Below this a file is read in milliseconds, and a process takes longer to start.
_LARGE_BYTES = 2_000_000
# A piece is unpacked without a break; so many photos take a few milliseconds.
_PHOTOS_PER_PIECE = 20
_LOOK_S = 0.2


@dataclass(frozen=True)
class Piece:
    """A part of a file. annotations: all that concerns some of its photos. first, count: of its photos in the file."""

    annotations: "Annotations"
    first: int
    count: int


def annotation_files(path: Path) -> list[Path]:
    """Return the file itself, or a folder's JSON files; KnownError when there are none."""
    if not path.is_dir():
        return [path]
    files = sorted(p for p in path.rglob("*.json") if p.is_file())
    if not files:
        hint = "Choose the folder that labelme or X-AnyLabeling saved to, or a COCO file."
        raise KnownError(f"There are no annotation files in {path}.", hint)
    return files


def place_of(folder: Path, name: str) -> Path:
    """Return where a photo that a file names lies: as named, its folders left out, or in a folder beside."""
    plain = name.replace("\\", "/")
    short = Path(plain).name
    # COCO files often lie in “annotations”, beside “images”.
    places = (folder / plain, folder / short, folder / "images" / short, folder.parent / plain)
    places += (folder.parent / "images" / plain, folder.parent / "images" / short)
    return next((p for p in places if p.is_file()), places[0])


def read_pieces(path: Path, context: Context) -> Iterator[Piece]:
    """Read a file of COCO, labelme or X-AnyLabeling: all that concerns one photo is in one piece.

    What was wrong with the file comes with the first piece. KnownError if it cannot be read at all.
    """
    try:
        is_large = path.stat().st_size > _LARGE_BYTES
    except (OSError, ValueError):
        is_large = False  # the reader says in words what is wrong
    if not is_large:
        annotations = read_file(path)
        yield Piece(annotations, 0, len(names_of(annotations)))
        return
    yield from _read_apart(path, context)


def names_of(annotations: "Annotations") -> list[str]:
    """Return the photos' names, each once, in the order of the file."""
    return list(dict.fromkeys(image.file_name for image in annotations.images))


def read_file(path: Path) -> "Annotations":
    """Read a file of COCO, labelme or X-AnyLabeling; KnownError if it is neither, or cannot be read."""
    from limbstudio.formats.coco import read_annotations  # here: only who imports needs it
    from limbstudio.formats.json_files import read_json
    from limbstudio.formats.labelme import is_labelme, read_labelme

    document = read_json(path)
    return read_labelme(path, document) if is_labelme(document.value) else read_annotations(path, document)


def _read_apart(path: Path, context: Context) -> Iterator[Piece]:
    ours, theirs = multiprocessing.Pipe(duplex=False)
    spawning = multiprocessing.get_context("spawn")
    process = spawning.Process(target=_send_pieces, args=(path, theirs), daemon=True, name="read annotations")
    process.start()
    theirs.close()
    try:
        while True:
            while not ours.poll(_LOOK_S):
                context.report(0.0, f"Reading {path.name} ({path.stat().st_size / 1e6:.0f} MB)")
            try:
                message = pickle.loads(ours.recv_bytes())  # noqa: S301 - from our own process
            except EOFError:
                hint = "There may be too little memory: close other programs, or split the file."
                raise KnownError(f"{path.name} could not be read: reading it broke off.", hint) from None
            if message is None:
                return
            if isinstance(message, tuple):
                raise KnownError(*message)
            yield message
    finally:
        ours.close()
        process.terminate()
        process.join()


def _send_pieces(path: Path, connection: Connection) -> None:
    """Read the file and send it in pieces, then None; (message, hint) where it cannot be read."""
    machine.let_this_process_go_first()
    try:
        for piece in _pieces_of(read_file(path)):
            connection.send(piece)
        connection.send(None)
    except KnownError as error:
        connection.send((error.message, error.hint))
    except MemoryError:
        connection.send((f"There is not enough memory to read {path.name}.", "Split it into smaller files."))


def _pieces_of(annotations: "Annotations") -> Iterator[Piece]:
    images: dict[str, list[AnnotatedImage]] = {}
    people: dict[str, list[AnnotatedPerson]] = {}
    for image in annotations.images:
        images.setdefault(image.file_name, []).append(image)
    for person in annotations.people:
        people.setdefault(person.file_name, []).append(person)
    names = names_of(annotations)
    for start in range(0, max(len(names), 1), _PHOTOS_PER_PIECE):
        part = names[start : start + _PHOTOS_PER_PIECE]
        piece = replace(
            annotations,
            images=tuple(image for name in part for image in images[name]),
            people=tuple(person for name in part for person in people.get(name, ())),
        )
        first = start == 0
        yield Piece(piece if first else replace(piece, problems=(), warnings=()), start, len(names))
