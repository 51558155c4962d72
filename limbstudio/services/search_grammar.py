"""The words in which photos are searched: `state:ready limb:transtibial side:left -has:mask "left hand"`.

Terms beside each other must all hold; OR, a minus (or NOT) and parentheses combine them; quotes keep words together.
What cannot be understood is refused with its place, an example and, where there is one, the word that was meant.
"""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from limbstudio.domain.anatomy import Cause, Device, Level, Posture
from limbstudio.domain.errors import KnownError
from limbstudio.domain.progress import PhotoState

EXAMPLE = 'state:ready limb:transtibial side:left -has:mask note:"scar"'


class GrammarError(KnownError):
    """A search that cannot be understood. at, length: where, in characters of the query."""

    def __init__(self, message: str, hint: str, *, at: int, length: int) -> None:
        super().__init__(message, hint)
        self.at = at
        self.length = max(1, length)


@dataclass(frozen=True)
class Term:
    """One condition. field: empty for a free word. relation: ':', '=', '<', '<=', '>' or '>='."""

    field: str
    relation: str
    value: str

    @property
    def number(self) -> float:
        return float(self.value)


@dataclass(frozen=True)
class Not:
    inner: "Query"


@dataclass(frozen=True)
class All:
    inner: tuple["Query", ...]


@dataclass(frozen=True)
class Either:
    inner: tuple["Query", ...]


Query = Term | Not | All | Either


@dataclass(frozen=True)
class Field:
    """One field. values: the words it takes (empty: any text). number: it is compared with a number."""

    name: str
    words: str
    example: str
    values: tuple[str, ...] = ()
    number: bool = False
    also: Mapping[str, str] | None = None  # other words for its values


_LEVELS = tuple(level.value for level in Level)
_LIMB_ALSO = {
    "tt": "transtibial", "below_knee": "transtibial", "tf": "transfemoral", "above_knee": "transfemoral",
    "tr": "transradial", "below_elbow": "transradial", "th": "transhumeral", "above_elbow": "transhumeral",
    "residual": "any", "difference": "any", "yes": "any", "none": "intact",
}  # fmt: skip
HAS = ("person", "mask", "note", "box", "fit", "stature", "prosthesis", "unsure", "limb_difference")
IS = ("unfinished", "finished", "human", "predicted", "imported", "stale", "empty")

FIELDS: tuple[Field, ...] = (
    Field("state", "how far the photo is", "state:ready", tuple(s.value for s in PhotoState)),
    Field("limb", "level of a limb difference", "limb:transtibial", (*_LEVELS, "any", "arm", "leg"), also=_LIMB_ALSO),
    Field("side", "side of a limb difference", "side:left", ("left", "right")),
    Field("cause", "cause of a limb difference", "cause:congenital", tuple(c.value for c in Cause)),
    Field("device", "prosthesis of a limb", "device:worn", tuple(d.value for d in Device)),
    Field("posture", "posture of a person", "posture:sitting", tuple(p.value for p in Posture)),
    Field("annotator", "who edited the photo", "annotator:me"),
    Field("score", "mean confidence of a person's points, 0 to 1", "score<0.5", number=True),
    Field("people", "how many people", "people>1", number=True),
    Field("has", "what the photo or a person has", "has:mask", HAS, also={"people": "person", "notes": "note"}),
    Field("is", "what the photo is", "is:unfinished", IS, also={"no_person": "empty", "prediction": "predicted"}),
    Field("note", "words in a note", 'note:"scar"'),
    Field("name", "part of the file name", "name:IMG_01"),
)  # fmt: skip
BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS}

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\)) |
        (?P<minus>-(?=[^\s])) |
        (?P<field>[A-Za-z_]+)(?P<relation><=|>=|[:<>=])(?P<value>"[^"]*"?|[^\s()"]*) |
        (?P<quoted>"[^"]*"?) |
        (?P<word>[^\s()"]+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int
    term: Term | None = None


def parse(query: str) -> Query | None:
    """Return what a query asks; None when it is empty. GrammarError when it cannot be understood."""
    tokens = list(_tokens(query))
    if not tokens:
        return None
    parser = _Parser(tokens, query)
    found = parser.alternatives()
    if parser.peek is not None:
        _refuse(
            "A closing parenthesis has no opening one.",
            "Take it away.",
            parser.peek.at,
            len(parser.peek.text),
        )
    return found


def _tokens(query: str) -> Iterable[_Token]:
    at = 0
    end = len(query.rstrip())
    while at < end:
        match = _TOKEN.match(query, at)
        assert match is not None, "every character begins some token"
        kind = match.lastgroup or ""
        start = match.start(kind if kind != "value" else "field")
        text = query[start : match.end()]
        if kind == "value":
            yield _Token("term", text, start, _term(match))
        elif kind == "quoted":
            yield _Token("term", text, start, Term("", ":", _unquoted(text, start).casefold()))
        elif kind == "word" and text == "OR":
            yield _Token("or", text, start)
        elif kind == "word" and text == "NOT":
            yield _Token("minus", text, start)
        elif kind == "word" and text == "AND":
            pass  # it goes without saying
        elif kind == "word":
            yield _Token("term", text, start, Term("", ":", text.casefold()))
        else:
            yield _Token(kind, text, start)
        at = match.end()


def _unquoted(text: str, at: int) -> str:
    if not text.startswith('"'):
        return text
    if len(text) < 2 or not text.endswith('"'):
        _refuse("A quotation mark is not closed.", 'Close it: "left hand".', at, len(text))
    return text[1:-1]


def _term(match: "re.Match[str]") -> Term:
    name, relation, raw = match["field"].casefold(), match["relation"], match["value"]
    at, length = match.start("field"), match.end() - match.start("field")
    field = BY_NAME.get(name)
    if field is None:
        meant = _meant(name, BY_NAME)
        names = ", ".join(BY_NAME)
        hint = (
            f"Did you mean {meant}:? For example {BY_NAME[meant].example}."
            if meant
            else f"There are: {names}."
        )
        _refuse(f"There is no field “{match['field']}”.", hint, at, len(name))
    value = _unquoted(raw, match.start("value")).strip()
    if not value:
        _refuse(f"After {name}{relation} something must follow.", f"For example {field.example}.", at, length)
    if field.number:
        return _number_term(field, relation, value, at, length)
    if relation not in ":=":
        _refuse(f"{name} cannot be larger or smaller.", f"For example {field.example}.", at, length)
    if not field.values:
        return Term(name, ":", value.casefold())
    plain = value.casefold().replace("-", "_").replace(" ", "_")
    plain = (field.also or {}).get(plain, plain)
    if plain not in field.values:
        meant = _meant(plain, field.values)
        hint = f"Did you mean {name}:{meant}?" if meant else f"It can be: {', '.join(field.values)}."
        _refuse(f"{name} is never “{value}”.", hint, match.start("value"), len(raw))
    return Term(name, ":", plain)


def _number_term(field: Field, relation: str, value: str, at: int, length: int) -> Term:
    try:
        float(value)
    except ValueError:
        _refuse(
            f"{field.name} is compared with a number, not “{value}”.",
            f"For example {field.example}.",
            at,
            length,
        )
    return Term(field.name, "=" if relation == ":" else relation, value)


def _meant(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1, 0.6)
    return close[0] if close else ""


def _refuse(message: str, hint: str, at: int, length: int) -> NoReturn:
    raise GrammarError(message, hint, at=at, length=length)


class _Parser:
    """alternatives: conjunction {OR conjunction}; conjunction: item {item}; item: [-] (term | ( alternatives ))."""

    def __init__(self, tokens: list[_Token], query: str) -> None:
        self._tokens = tokens
        self._place = 0
        self._end = len(query.rstrip())

    @property
    def peek(self) -> _Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def alternatives(self) -> Query:
        parts = [self._conjunction()]
        while self.peek is not None and self.peek.kind == "or":
            self._place += 1
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _conjunction(self) -> Query:
        parts = []
        while self.peek is not None and self.peek.kind not in ("or", "close"):
            parts.append(self._item())
        if not parts:
            at = self.peek.at if self.peek is not None else max(0, self._end - 2)
            hint = "For example limb:transtibial OR limb:transfemoral."
            _refuse("Something must stand on both sides of OR, and in parentheses.", hint, at, 2)
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _item(self) -> Query:
        token = self.peek
        if token is None or token.kind in ("or", "close"):
            _refuse(
                "After a minus something must follow.", "For example -has:mask.", max(0, self._end - 1), 1
            )
        self._place += 1
        if token.kind == "minus":
            return Not(self._item())
        if token.kind == "open":
            inner = self.alternatives()
            if self.peek is None:
                _refuse("A parenthesis is not closed.", "Close it: (limb:arm OR limb:leg).", token.at, 1)
            self._place += 1
            return inner
        assert token.term is not None
        return token.term


RELATIONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
