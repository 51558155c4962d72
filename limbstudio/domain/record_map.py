"""Records by key as an immutable map of which another version costs only what changed.

A project of 50,000 photos is edited thousands of times a day, and everybody who holds a version of it must go on
seeing that version. So a map is cut into small dictionaries, and a version copies those it changes. Records may
stand in it as the text they were stored as; they are read when somebody asks for them.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, overload

Key = tuple[str, str]
# Make a record of (kind, id, text); None when the text cannot be read.
Reader = Callable[[str, str, str], Any]

_CHUNK = 512  # ids that stand together in the order
_FEWEST_PARTS = 16


class _Parts:
    """A persistent dictionary: `changed` returns a new one and copies only the parts it touches."""

    __slots__ = ("_mask", "_parts", "count")

    def __init__(self, parts: list[dict[str, Any]], count: int) -> None:
        self._parts = parts
        self._mask = len(parts) - 1
        self.count = count

    @classmethod
    def of(cls, items: Iterable[tuple[str, Any]], count: int) -> "_Parts":
        """Make the dictionary of `count` items, each name once."""
        number = _FEWEST_PARTS
        while number * number < count:
            number *= 2
        parts: list[dict[str, Any]] = [{} for _ in range(number)]
        mask = number - 1
        for name, value in items:
            parts[hash(name) & mask][name] = value
        return cls(parts, count)

    def get(self, name: str) -> Any | None:  # noqa: ANN401
        return self._parts[hash(name) & self._mask].get(name)

    def changed(self, changes: Mapping[str, Any]) -> "_Parts":
        """Return the dictionary after `changes`; None as a value takes the name away."""
        parts, count = self._parts.copy(), self.count
        copied: set[int] = set()
        for name, value in changes.items():
            place = hash(name) & self._mask
            if place not in copied:
                copied.add(place)
                parts[place] = parts[place].copy()
            count -= name in parts[place]
            if value is None:
                parts[place].pop(name, None)
            else:
                parts[place][name] = value
                count += 1
        if count > 8 * len(parts) * len(parts):  # once in a long while: the cost is shared by all that came
            return _Parts.of(((name, value) for part in parts for name, value in part.items()), count)
        return _Parts(parts, count)


class Shelf(Sequence[Any]):
    """All records of one kind in the order in which they came, each read when it is asked for."""

    __slots__ = ("_chunks", "_entries", "_kind", "_offsets", "_read")

    def __init__(self, kind: str, entries: _Parts, chunks: tuple[tuple[str, ...], ...], read: Reader) -> None:
        self._kind = kind
        self._entries = entries  # id -> (number of its chunk, record or text)
        self._chunks = chunks
        self._read = read
        self._offsets: list[int] | None = None

    @classmethod
    def of(cls, kind: str, content: Mapping[str, Any], read: Reader) -> "Shelf":
        ids = list(content)
        chunks = tuple(tuple(ids[i : i + _CHUNK]) for i in range(0, len(ids), _CHUNK))
        placed = ((name, (n // _CHUNK, value)) for n, (name, value) in enumerate(content.items()))
        return cls(kind, _Parts.of(placed, len(content)), chunks, read)

    def __len__(self) -> int:
        return self._entries.count

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Any, ...]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        return self.get(self.id_at(index))

    def __iter__(self) -> Iterator[Any]:
        for name in self.ids():
            record = self.get(name)
            if record is not None:
                yield record

    def __contains__(self, record: object) -> bool:
        return any(record == mine for mine in self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str) or len(other) != len(self):
            return NotImplemented if not isinstance(other, Sequence) else False
        return all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def ids(self) -> Iterator[str]:
        """Yield the ids in order; nothing is read for it."""
        for chunk in self._chunks:
            yield from chunk

    def id_at(self, index: int) -> str:
        """Return the id at that place of the order; IndexError beyond the ends."""
        number = len(self)
        place = index + number if index < 0 else index
        if not 0 <= place < number:
            raise IndexError(index)
        offsets = self._places()
        chunk = bisect_right(offsets, place) - 1
        return self._chunks[chunk][place - offsets[chunk]]

    def place_of(self, name: str) -> int:
        """Return at which place of the order an id stands, -1 when it is not there."""
        entry = self._entries.get(name)
        return -1 if entry is None else self._places()[entry[0]] + self._chunks[entry[0]].index(name)

    def has(self, name: str) -> bool:
        """Tell whether there is such an id; nothing is read for it."""
        return self._entries.get(name) is not None

    def get(self, name: str) -> Any | None:  # noqa: ANN401
        """Return the record of an id; None when there is none, or it cannot be read."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        value = entry[1]
        return self._read(self._kind, name, value) if isinstance(value, str) else value

    def stored(self, name: str) -> Any | None:  # noqa: ANN401
        """Return the record of an id, or the text it was stored as when nobody changed it since."""
        entry = self._entries.get(name)
        return None if entry is None else entry[1]

    def _places(self) -> list[int]:
        if self._offsets is None:
            self._offsets = [0, *accumulate(len(chunk) for chunk in self._chunks)]
        return self._offsets

    def changed(self, changes: Mapping[str, Any]) -> "Shelf":
        """Return the shelf after `changes`; None as a record takes the id away, a new id comes last."""
        entries: dict[str, Any] = {}
        added: list[str] = []
        gone: dict[int, set[str]] = {}
        for name, record in changes.items():
            entry = self._entries.get(name)
            if record is None:
                if entry is not None:
                    entries[name] = None
                    gone.setdefault(entry[0], set()).add(name)
            elif entry is not None:
                entries[name] = (entry[0], record)
            else:
                added.append(name)
        if not added and not gone:
            shelf = Shelf(self._kind, self._entries.changed(entries), self._chunks, self._read)
            shelf._offsets = self._offsets
            return shelf
        chunks = list(self._chunks)
        for number, names in gone.items():
            # An empty chunk keeps its number, which the entries of the others go by.
            chunks[number] = tuple(name for name in chunks[number] if name not in names)
        while added:
            if not chunks or len(chunks[-1]) >= _CHUNK:
                chunks.append(())
            room = _CHUNK - len(chunks[-1])
            chunks[-1] = (*chunks[-1], *added[:room])
            entries |= {name: (len(chunks) - 1, changes[name]) for name in added[:room]}
            del added[:room]
        return Shelf(self._kind, self._entries.changed(entries), tuple(chunks), self._read)


def _nothing_stored(kind: str, name: str, text: str) -> None:
    """Read no text: a map that was made of records holds none."""


class RecordMap(Mapping[Key, Any]):
    """Records by (kind, id). Immutable: `changed` returns the next version and leaves this one as it is."""

    __slots__ = ("_of_photo", "_read", "_shelves")

    def __init__(self, records: Mapping[Key, Any] | None = None) -> None:
        rows = ((kind, name, photo_of(kind, r), r) for (kind, name), r in (records or {}).items())
        self._fill(rows, _nothing_stored)

    @classmethod
    def stored(cls, rows: Iterable[tuple[str, str, str | None, Any]], read: Reader) -> "RecordMap":
        """Make the map of stored rows: (kind, id, photo it belongs to or None, record or its text)."""
        made = cls.__new__(cls)
        made._fill(rows, read)
        return made

    def _fill(self, rows: Iterable[tuple[str, str, str | None, Any]], read: Reader) -> None:
        kinds: dict[str, dict[str, Any]] = {}
        of_photo: dict[str, tuple[Key, ...]] = {}
        for kind, name, photo, value in rows:
            content = kinds.get(kind)
            if content is None:
                content = kinds[kind] = {}
            content[name] = value
            if photo is not None and kind != "photo":
                before = of_photo.get(photo)
                of_photo[photo] = ((kind, name),) if before is None else (*before, (kind, name))
        self._read = read
        self._shelves = {kind: Shelf.of(kind, content, read) for kind, content in kinds.items()}
        self._of_photo = _Parts.of(of_photo.items(), len(of_photo))

    def __getitem__(self, key: Key) -> Any:  # noqa: ANN401
        record = self.get(key)
        if record is None:
            raise KeyError(key)
        return record

    def get(self, key: Key, default: Any = None) -> Any:  # noqa: ANN401
        shelf = self._shelves.get(key[0])
        record = None if shelf is None else shelf.get(key[1])
        return default if record is None else record

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, tuple) or len(key) != 2:
            return False
        shelf = self._shelves.get(key[0])
        return shelf is not None and shelf.has(key[1])

    def __iter__(self) -> Iterator[Key]:
        return ((kind, name) for kind, shelf in self._shelves.items() for name in shelf.ids())

    def __len__(self) -> int:
        return sum(map(len, self._shelves.values()))

    def shelf(self, kind: str) -> Shelf:
        """Return all records of a kind, in order."""
        found = self._shelves.get(kind)
        return Shelf.of(kind, {}, self._read) if found is None else found

    def of_photo(self, kind: str, photo: str) -> tuple[Any, ...]:
        """Return the records of a kind that belong to a photo, in the order in which they came."""
        keys = self._of_photo.get(photo) or ()
        found = (self.get(key) for key in keys if key[0] == kind)
        return tuple(record for record in found if record is not None)

    def names_of_photo(self, kind: str, photo: str) -> tuple[str, ...]:
        """Return the ids of the records of a kind that belong to a photo; nothing is read for it."""
        return tuple(name for k, name in self._of_photo.get(photo) or () if k == kind)

    def changed(self, changes: Iterable[tuple[Key, Any | None, Any | None]]) -> "RecordMap":
        """Return the map after (key, record before, record after); None where there is no record."""
        kinds: dict[str, dict[str, Any]] = {}
        photos: dict[str, tuple[Key, ...]] = {}
        for key, before, after in changes:
            kind, name = key
            kinds.setdefault(kind, {})[name] = after
            was, now = photo_of(kind, before), photo_of(kind, after)
            if was == now or kind == "photo":
                continue
            if was is not None:
                keys = photos[was] if was in photos else self._of_photo.get(was) or ()
                photos[was] = tuple(k for k in keys if k != key)
            if now is not None:
                keys = photos[now] if now in photos else self._of_photo.get(now) or ()
                photos[now] = (*keys, key)
        after_map = RecordMap.__new__(RecordMap)
        after_map._read = self._read
        after_map._shelves = self._shelves | {k: self.shelf(k).changed(c) for k, c in kinds.items()}
        after_map._of_photo = (
            self._of_photo.changed({p: keys or None for p, keys in photos.items()})
            if photos
            else self._of_photo
        )
        return after_map


def photo_of(kind: str, record: object) -> str | None:
    """Return the photo a record belongs to, if it says so."""
    return getattr(record, "sha256" if kind == "photo" else "photo", None)
