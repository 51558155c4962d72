"""Names on the screen: as they are, or, while they are hidden, 'Photo 12' and 'Person A' in their place.

Everything that shows a photo, a project, who worked on it, or a message asks here; what is kept on disk never changes.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from limbstudio.domain.photo import Photo
from limbstudio.ui.words import tr

_SUFFIXES = "jpe?g|png|tiff?|webp|heic|heif|avif|bmp|gif|jfif|json|limb|ply|glb|obj|stl|csv"
_ENDS = re.compile(rf"\.(?:{_SUFFIXES})\b", re.IGNORECASE)
# From a root on, spaces in the names of folders included; better too much than a part of a name.
_PATH = re.compile(r"(?:\b[A-Za-z]:\\|(?<!\w)~?/)(?:[^“”\"\n/\\]*[/\\])*[^\s“”\"/\\]*")
_BREAKS = "\n\t“”\"'/\\"

Numbers = Callable[[], Mapping[str, int]]
_hidden: list[Numbers] = []
_annotators: dict[str, str] = {}  # name -> 'A', in the order in which they were shown


def hide(numbers: Numbers) -> None:
    """Hide names from now on. numbers: gives the sha256 and the file name of each photo -> its number, from 1."""
    _hidden[:] = [numbers]


def show() -> None:
    """Show names again."""
    _hidden.clear()
    _annotators.clear()


def are_hidden() -> bool:
    return bool(_hidden)


def file_name(path: str) -> str:
    """Return a file's name of a path of any system."""
    return path.replace("\\", "/").rsplit("/", 1)[-1]


def photo_name(photo: Photo) -> str:
    """Return what a photo is called on the screen: its file's name, or 'Photo 12'."""
    if not _hidden:
        return file_name(photo.path)
    number = _hidden[0]().get(photo.sha256)
    return tr("A photo") if number is None else tr("Photo {number}", number=number)


def photo_place(photo: Photo) -> str:
    """Return where a photo lies, for a tool tip: nothing while names are hidden."""
    return photo_name(photo) if _hidden else photo.path


def person_name(number: int) -> str:
    """Return what a person of a photo is called, number from 1: 'Person 1', or 'Person A'."""
    return tr("Person {number}", number=_letters(number) if _hidden else number)


def annotator_name(who: str) -> str:
    """Return what somebody who works on the project is called: by name, or 'Annotator A'."""
    if not _hidden or not who:
        return who
    return tr("Annotator {letter}", letter=_annotators.setdefault(who, _letters(len(_annotators) + 1)))


def _letters(number: int) -> str:
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def project_name(folder: Path) -> str:
    """Return what a project is called in the title and in the list of recent ones."""
    return tr("Project") if _hidden else folder.stem


def folder_place(folder: Path) -> str:
    """Return where a project lies, for people to read."""
    return tr("Names are hidden") if _hidden else str(folder)


def masked(text: str) -> str:
    """Return a text in which, while names are hidden, no file, folder or path is named."""
    if not _hidden:
        return text
    numbers = _hidden[0]()
    text = _PATH.sub(lambda match: _masked_path(match.group(), numbers), text)
    masked_text, kept = "", 0
    for end in (match.end() for match in _ENDS.finditer(text)):
        start = _name_start(text, kept, end, numbers)
        masked_text += text[kept:start] + _stand_in(text[start:end], numbers)
        kept = end
    return masked_text + text[kept:]


def _name_start(text: str, after: int, end: int, numbers: Mapping[str, int]) -> int:
    """Return where the file name that ends at `end` begins: the longest that is known, else the last word."""
    word = max([after, *(text.rfind(mark, after, end) + 1 for mark in (*_BREAKS, " "))])
    first = max([after, *(text.rfind(mark, after, end) + 1 for mark in _BREAKS)])
    starts = (s for s in range(first, word) if (s == first or text[s - 1] == " ") and text[s:end] in numbers)
    return next(starts, word)


def _masked_path(path: str, numbers: Mapping[str, int]) -> str:
    stripped = path.rstrip(".,;:!?)")
    return _stand_in(file_name(stripped), numbers) + path[len(stripped) :]


def _stand_in(name: str, numbers: Mapping[str, int]) -> str:
    number = numbers.get(name)
    return tr("a file") if number is None else tr("Photo {number}", number=number)
