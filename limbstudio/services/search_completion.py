"""What can be typed next in a search: the fields of the grammar, and after `state:` the words that it takes."""

import re
from dataclasses import dataclass

from limbstudio.services.search_grammar import BY_NAME, FIELDS, Field

# The word that ends at the cursor: behind a space, a parenthesis or a minus, and not within quotes.
_WORD = re.compile(r"""(?:^|[\s(])-?(?P<field>[A-Za-z_]+)(?:(?P<relation>[:=])(?P<value>[^\s()"<>=:]*))?$""")


@dataclass(frozen=True)
class Completion:
    """text: what is put in place of the word at the cursor, `state:` or `state:ready`. words: what it means."""

    text: str
    words: str


@dataclass(frozen=True)
class Completions:
    """at: where the word begins that is completed, in characters. is_partial: as it stands it cannot be searched."""

    at: int
    choices: tuple[Completion, ...]
    is_partial: bool = False


# What values mean that do not say so themselves.
_MEANINGS = {
    "limb:any": "Any limb difference",
    "limb:arm": "Difference of an arm",
    "limb:leg": "Difference of a leg",
    "device:none": "No prosthesis",
    "device:worn": "Prosthesis worn",
    "device:beside": "Prosthesis beside",
    "device:unknown": "Prosthesis not known",
    "has:box": "Box of a person",
    "has:limb_difference": "Limb difference",
    "annotator:me": "Whoever works here now",
    "is:unfinished": "Not everybody in it is ready",
    "is:finished": "Everybody in it is ready",
    "is:human": "Annotated by a person",
    "is:predicted": "With a prediction",
    "is:imported": "With imported people",
    "is:stale": "With a fit from before an edit",
    "is:empty": "No person, confirmed",
}
_NOTHING = Completions(0, ())


def value_words(field: str, value: str) -> str:
    """Return what a value of a field means in the words of the window: 'sent_back' is 'Sent back'."""
    return _MEANINGS.get(f"{field}:{value}", value.replace("_", " ").capitalize())


def every_sentence() -> tuple[str, ...]:
    """Return all English words of the completions, for the catalogues."""
    values = tuple(value_words(field.name, value) for field in FIELDS for value in field.values)
    return (*(field.words for field in FIELDS), *values, *_MEANINGS.values())


def completions(query: str, cursor: int) -> Completions:
    """Return what the word that ends at the cursor can become; no choices where it is whole or free text."""
    before, after = query[:cursor], query[cursor:]
    if before.count('"') % 2 or (after and not after[0].isspace() and after[0] != ")"):
        return _NOTHING
    match = _WORD.search(before)
    if match is None:
        return _NOTHING
    name = match["field"].casefold()
    if match["relation"] is None:
        return Completions(match.start("field"), _fields(name))
    field = BY_NAME.get(name)
    return (
        _NOTHING if field is None else _values(field, match["relation"], match["value"], match.start("field"))
    )


def _fields(typed: str) -> tuple[Completion, ...]:
    found = [field for field in FIELDS if field.name.startswith(typed)]
    return tuple(Completion(field.name + (">" if field.number else ":"), field.words) for field in found)


def _values(field: Field, relation: str, typed: str, at: int) -> Completions:
    """Return the values that begin as typed, then those that have it somewhere."""
    plain = typed.casefold().replace("-", "_")
    known = field.values or (("me",) if field.name == "annotator" else ())
    begin = [value for value in known if value.startswith(plain)]
    within = [value for value in known if plain in value and value not in begin]
    found = [value for value in (*begin, *within) if value != plain]
    whole = plain in known or plain in (field.also or {}) or not field.values
    choices = tuple(
        Completion(f"{field.name}{relation}{value}", value_words(field.name, value)) for value in found
    )
    return Completions(at, choices, is_partial=bool(plain) and not whole)
