"""Stored records that are read when somebody asks for them, so that a large project opens at once.

What is checked when: that every text is the one that was saved (its hash), at once; that every text can be read, at
once in a small project and by a thread of its own in a large one. What turns out to be unreadable later is told to
who listens, and is then as absent as it would have been from the start.
"""

import gc
import hashlib
import logging
import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from time import perf_counter
from typing import Any

from limbstudio.domain.photo import Photo
from limbstudio.domain.record_map import RecordMap
from limbstudio.services import records

log = logging.getLogger(__name__)

# Up to so many characters all records are read when the project is opened (2 seconds for 10 MB).
_READ_AT_ONCE = 1_000_000
# How many records of a kind are kept as they were read; the others are read again when they are asked for.
_KEPT = {"person": 4096, "photo": 8192}
_KEPT_OF_OTHERS = 256
# The check of a large project: so much of a processor's time it takes at most.
_CHECK_S, _PAUSE_S = 0.002, 0.018

# A stored row: kind, id, photo, text, SHA-256 of the text.
Row = tuple[str, str, str | None, str, str]


class StoredRecords:
    """Read the texts of one project. problems: for people, one sentence per record that could not be read."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.unchecked: list[tuple[str, str, str | None, str]] = []
        self._lock = threading.Lock()
        self._named: set[tuple[str, str]] = set()
        self._listener: Callable[[str], None] | None = None
        self._decoders: dict[str, Callable[[str], Any]] = {}

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call `listener(sentence)` for every record that turns out to be unreadable, in the thread that saw it."""
        with self._lock:
            self._listener = listener

    def load(self, rows: Iterable[Row]) -> RecordMap:
        """Return the records of these rows; what is not what was saved is left out and named in `problems`."""
        collects = gc.isenabled()
        gc.disable()  # it would look through hundreds of thousands of new texts again and again
        try:
            return self._load(rows)
        finally:
            if collects:
                gc.enable()

    def _load(self, rows: Iterable[Row]) -> RecordMap:
        kept = []
        size = 0
        # A person waits for this loop, which runs for every record of the project: no call in it that can be spared.
        known, sha256, keep = records.KINDS, hashlib.sha256, kept.append
        for kind, name, photo, text, digest in rows:
            if sha256(text.encode()).hexdigest() == digest and kind in known:
                size += len(text)
                keep((kind, name, photo, text))
            else:
                self._note(kind, name, _what_is_wrong(kind, text, digest))
        if size <= _READ_AT_ONCE:
            read = ((kind, name, photo, self._tried(kind, name, text)) for kind, name, photo, text in kept)
            return RecordMap.stored([row for row in read if row[3] is not None], self.read)
        self.unchecked = kept
        return RecordMap.stored(kept, self.read)

    def read(self, kind: str, name: str, text: str) -> Any | None:  # noqa: ANN401
        """Return the record of a text; None, and it is told, when it cannot be read."""
        record = self._tried(kind, name, text)
        if record is None and kind == "photo":
            return Photo(name, 1, 1, "")  # the list of photos keeps its row for it
        return record

    def _tried(self, kind: str, name: str, text: str) -> Any | None:  # noqa: ANN401
        decoder = self._decoders.get(kind)
        if decoder is None:
            decoder = lru_cache(_KEPT.get(kind, _KEPT_OF_OTHERS))(
                lambda t, kind=kind: records.decode(kind, t)
            )
            self._decoders[kind] = decoder
        try:
            return decoder(text)
        except records.UnreadableRecord as error:
            self._note(kind, name, error)
            return None

    def _note(self, kind: str, name: str, error: records.UnreadableRecord) -> None:
        with self._lock:
            if (kind, name) in self._named:
                return
            self._named.add((kind, name))
            sentence = f"The {kind} {name[:12]} cannot be read: {error.message}"
            self.problems.append(sentence)
            listener = self._listener
        if listener is not None:
            listener(sentence)

    def check(self, stop: threading.Event) -> None:
        """Read every text that was not read when the project was opened, slowly, until `stop`.

        A thread of its own calls it; it leaves most of the time to whoever works in the window.
        """
        began = perf_counter()
        while self.unchecked:
            kind, name, _, text = self.unchecked.pop()
            try:
                records.decode(kind, text)
            except records.UnreadableRecord as error:
                self._note(kind, name, error)
            if perf_counter() - began > _CHECK_S:
                if stop.wait(_PAUSE_S):
                    return
                began = perf_counter()
        log.info("All records of the project can be read.")


def _what_is_wrong(kind: str, text: str, digest: str) -> records.UnreadableRecord:
    """Return why a stored row is not taken."""
    if records.digest(text) != digest:
        return records.UnreadableRecord("its content is not what was saved.")
    try:
        records.decode(kind, text)
    except records.UnreadableRecord as error:
        return error
    raise AssertionError(f"Nothing is wrong with the {kind}.")
