"""The words of the window in another language: a catalogue from English to it, chosen when the program starts.

The English words are the keys, so that the code reads as the window does. `tr` is for words that are chosen with their
places; `said` finds any sentence, also one that was put together elsewhere (errors, edits, jobs), by its pattern.
`at_qt` lets every text that is given to Qt pass `said`, so that no panel need think of it. A word that the catalogue
lacks stays English. The catalogues are `<language>.json` beside this file.
"""

import functools
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}
_FOLDER = Path(__file__).parent
_PLACE = re.compile(r"\{[^{}]*\}")
_SENTENCE_END = re.compile(r"(?<=[.?!]) (?=[A-Z0-9“])")
_LETTERS_OF_A_SENTENCE = (
    12  # a pattern with so many is tried on several sentences at once, a shorter one on each
)
_WIDE_GAP = "   "  # between words and a key
_JOINTS = (_WIDE_GAP, "\n", ": ", ", ", " · ", "; ")
_KEPT = 4096
_chosen = "en"
_words: Mapping[str, str] = {}
_missed: list[Callable[[str], None]] = []


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
    _by_capitals.cache_clear()
    _said.cache_clear()


def language() -> str:
    """Return the language that is spoken: 'en' or 'de'."""
    return _chosen


def tr(text: str, **values: object) -> str:
    """Return the words of the window in the chosen language. values: what stands in the places, '{number}'."""
    found = _words.get(text, text)
    return found.format(**values) if values else found


def said(text: str) -> str:
    """Return a text, whoever made it, in the chosen language: as it stands, by an entry with places, or by its parts.

    What stands in a place is translated by itself where the catalogue knows it.
    """
    return _said(text) if _words else text


def tell_missing(listener: Callable[[str], None] | None) -> None:
    """Call `listener` with each text that has no translation; for tests. None: no longer."""
    _missed[:] = [] if listener is None else [listener]
    _said.cache_clear()


@functools.lru_cache(maxsize=_KEPT)
def _said(text: str) -> str:
    found = _whole(text)
    if found is not None:
        return found
    if "<" in text and ">" in text:
        return text  # markup, not words
    found = _in_parts(text)
    if found is None:
        for listener in _missed:
            listener(text)
    return text if found is None else found


def _whole(text: str) -> str | None:
    """Return the translation of a text as one; None where there is none."""
    found = _entry(text)
    if found is not None or _WIDE_GAP in text:
        return found
    bare = text.strip()
    sentences = _SENTENCE_END.split(bare)
    found = _by_pattern(bare, least=_LETTERS_OF_A_SENTENCE if len(sentences) > 1 else 0)
    if found is None and len(sentences) > 1:
        found = _sentence_by_sentence(sentences)
    return None if found is None else text.replace(bare, found)


def _entry(text: str) -> str | None:
    """Return a text that is an entry but for what is around its words: space, a menu's mark, dots."""
    bare = text.strip()
    if not bare:
        return None
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    mark = "&" if bare.startswith("&") and len(bare) > 1 else ""
    bare = bare.removeprefix(mark)
    for key, cut, added in (
        (text, "", ""),
        (bare, "", ""),
        (bare + "...", "...", ""),
        (bare[:-1], "", bare[-1:]),
    ):
        if added and added not in ".:":
            continue
        found = _words.get(key)
        if found is not None:
            found = found.removesuffix(cut) + added
            return found if key == text else f"{before}{mark}{found}{after}"
    return None


def _by_pattern(text: str, least: int) -> str | None:
    """Return a text that an entry with places fits. least: letters that the entry must have."""
    for letters, start, pattern, entry in _patterns():
        if letters < least:
            return None
        match = pattern.fullmatch(text) if text.startswith(start) else None
        if match is not None:
            parts = iter([_part(part) for part in match.groups()])
            return _PLACE.sub(lambda _place, parts=parts: next(parts), entry)
    return None


def _sentence_by_sentence(sentences: list[str]) -> str:
    """Return sentences of which several may be one entry."""
    made, start = [], 0
    while start < len(sentences):
        for end in range(len(sentences), start, -1):
            run = " ".join(sentences[start:end])
            whole = _entry(run) or _by_pattern(run, least=_LETTERS_OF_A_SENTENCE)
            found = said(run) if whole is None and end == start + 1 else whole
            if found is not None:
                made.append(found)
                start = end
                break
    return " ".join(made)


def _in_parts(text: str) -> str | None:
    """Return a text whose parts are known: 'Right leg: transtibial', 'Undo   Ctrl Z'."""
    if text == text.upper() and text != text.lower() and text.strip() in _by_capitals():
        return text.replace(text.strip(), _by_capitals()[text.strip()].upper())  # a heading in capitals
    for joint in _JOINTS:
        if joint in text:
            parts = [_part(part) for part in text.split(joint)]
            if parts != text.split(joint):
                return joint.join(parts)
    return None


def _part(text: str) -> str:
    """Return what stood in a place; a word that is known with a capital, or without, is the same word."""
    found = _whole(text)
    if found is None and text:
        found = _whole(text[0].swapcase() + text[1:])
    if found is None:
        found = _in_parts(text)
    return text if found is None else found


@functools.cache
def _by_capitals() -> Mapping[str, str]:
    return {key.upper(): entry for key, entry in _words.items()}


@functools.cache
def _patterns() -> tuple[tuple[int, str, re.Pattern[str], str], ...]:
    """Return the entries with places, the most definite first: number of letters, beginning, pattern, translation."""
    made = []
    for key, entry in _words.items():
        pieces = _PLACE.split(key)
        letters = sum(c.isalpha() for c in "".join(pieces))
        if len(pieces) > 1 and letters:
            pattern = re.compile("(.+?)".join(re.escape(piece) for piece in pieces), re.DOTALL)
            made.append((letters, pieces[0], pattern, entry))
    return tuple(sorted(made, key=lambda row: -row[0]))
