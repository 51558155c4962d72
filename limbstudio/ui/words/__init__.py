"""The words of the window in another language: a catalogue from English to it, chosen when the program starts.

The English words are the keys, so that the code reads as the window does. `tr` is for what the window itself says;
`said` for sentences made elsewhere (errors, edits, jobs), which are found by their pattern; a word that the catalogue
lacks stays English. The catalogues are `<language>.json` beside this file.
"""

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
_FOLDER = Path(__file__).parent
_PLACE = re.compile(r"\{[^{}]*\}")
_chosen = "en"
_words: Mapping[str, str] = {}


def catalogue(language: str) -> dict[str, str]:
    """Return English -> `language`; empty for English and for a language there is no catalogue of."""
    path = _FOLDER / f"{language}.json"
    return json.loads(path.read_text(encoding="utf-8")) if language in LANGUAGES and path.is_file() else {}


def use(language: str) -> None:
    """Speak `language` ('en', 'de') in everything that is made from now on."""
    global _chosen, _words  # noqa: PLW0603 - one language for the whole program, chosen once
    _chosen = language if language in LANGUAGES else "en"
    _words = catalogue(_chosen)
    _patterns.cache_clear()


def language() -> str:
    """Return the language that is spoken: 'en' or 'de'."""
    return _chosen


def tr(text: str, **values: object) -> str:
    """Return the words of the window in the chosen language. values: what stands in the places, '{number}'."""
    found = _words.get(text, text)
    return found.format(**values) if values else found


def said(text: str) -> str:
    """Return a sentence, or several, that another part of the program made, in the chosen language.

    It is found as it stands, or by an entry with places ('{} cannot exist with {}.'); what stands in a place is
    translated by itself where the catalogue knows it.
    """
    if not _words or not text:
        return text
    found = _words.get(text)
    if found is not None:
        return found
    for pattern, german in _patterns():
        match = pattern.fullmatch(text)
        if match is not None:
            parts = iter([_part(part) for part in match.groups()])
            return _PLACE.sub(lambda _place, parts=parts: next(parts), german)
    sentences = re.split(r"(?<=[.?!]) (?=[A-Z0-9“])", text)
    return text if len(sentences) == 1 else " ".join(said(sentence) for sentence in sentences)


def _part(text: str) -> str:
    """Return what stood in a place: a word that is known with a capital, or without, keeps its own case."""
    found = _words.get(text)
    if found is None and text:
        found = _words.get(text[0].swapcase() + text[1:])
    return text if found is None else found


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the entries with places, the most definite first."""
    templates = [key for key in _words if _PLACE.search(key)]
    templates.sort(key=lambda key: -len(_PLACE.sub("", key)))
    made = []
    for key in templates:
        pieces = [re.escape(piece) for piece in _PLACE.split(key)]
        made.append((re.compile("(.+?)".join(pieces), re.DOTALL), _words[key]))
    return tuple(made)
