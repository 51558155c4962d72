"""What a disk holds after the power was cut: of a recorded run, what was synced, and of the rest what chance leaves.

The record is made by `recorder.c`. A write counts when its file was synced after it; a name (of a new, moved or deleted
file) when its folder was.
"""

import random
import struct
from dataclasses import dataclass, field
from pathlib import Path

_HEAD = struct.Struct("<cQqII")
_SECTOR = 512


@dataclass(frozen=True)
class Item:
    """One thing the program did. kind: see `recorder.c`."""

    kind: str
    file: int
    offset: int
    name: str
    data: bytes


def read_record(path: Path) -> list[Item]:
    data, at, items = path.read_bytes(), 0, []
    while at + _HEAD.size <= len(data):
        kind, file, offset, name_size, size = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if at + name_size + size > len(data):
            break  # the kill cut the record off
        name = data[at : at + name_size].decode()
        items.append(Item(kind.decode(), file, offset, name, data[at + name_size : at + name_size + size]))
        at += name_size + size
    return items


@dataclass
class _File:
    synced: bytearray = field(default_factory=bytearray)
    waiting: list[Item] = field(default_factory=list)


@dataclass
class _Naming:
    """A change of names. removed, added: path, and the file that is added."""

    folder: str
    removed: str | None
    added: tuple[str, _File | None] | None  # None: a folder


class Disk:
    """The state of one folder. `begin`: what was there, and is synced, before the record starts."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.names: dict[str, _File | None] = {}  # synced
        self.seen: dict[str, _File | None] = {}  # as the program sees it
        self.files: dict[int, _File] = {}
        self.folders: dict[int, str] = {}
        self.waiting: list[_Naming] = []
        if root.exists():
            self._take(root)

    def _take(self, root: Path) -> None:
        self.names[str(root)] = None
        for path in root.rglob("*"):
            if path.is_dir():
                self.names[str(path)] = None
            else:
                self.names[str(path)] = _File(bytearray(path.read_bytes()))
        self.seen = dict(self.names)

    def follow(self, item: Item) -> None:
        match item.kind:
            case "c":
                file = self.files[item.file] = _File()
                self._rename(None, item.name, file)
            case "o" | "t":
                known = self.seen.get(item.name)
                if known is None:
                    self.folders[item.file] = item.name.rstrip("/")
                else:
                    self.files[item.file] = known
                    if item.kind == "t":
                        known.waiting.append(Item("z", item.file, 0, "", b""))
            case "w" | "z":
                self.files[item.file].waiting.append(item)
            case "f":
                if item.file in self.folders and item.file not in self.files:
                    self._sync_folder(self.folders[item.file])
                else:
                    file = self.files[item.file]
                    for write in file.waiting:
                        _apply(file.synced, write)
                    file.waiting.clear()
            case "r":
                self._rename(item.name, item.data.decode(), self.seen.get(item.name))
            case "u":
                self._rename(item.name, None, None)
            case "m":
                self._rename(None, item.name, None)

    def _rename(self, old: str | None, new: str | None, file: _File | None) -> None:
        folder = str(Path(new or old or "").parent)
        self.waiting.append(_Naming(folder, old, None if new is None else (new, file)))
        _name(self.seen, self.waiting[-1])

    def _sync_folder(self, folder: str) -> None:
        for naming in [n for n in self.waiting if n.folder == folder]:
            _name(self.names, naming)
            self.waiting.remove(naming)

    def after_cut(self, target: Path, chance: random.Random | None) -> None:
        """Write what the disk holds into `target`. chance: leaves some of what was not synced; None: nothing of it."""
        names = dict(self.names)
        stopped: set[str] = set()  # names of one folder reach the disk in their order
        for naming in self.waiting:
            if chance is None or naming.folder in stopped or chance.random() < 0.3:
                stopped.add(naming.folder)
            else:
                _name(names, naming)
        for path, file in sorted(names.items()):
            place = target / Path(path).relative_to(self.root)
            if file is None:
                place.mkdir(parents=True, exist_ok=True)
            elif place.parent.is_dir() and not path.endswith("-shm"):
                place.write_bytes(_content(file, chance))


def _content(file: _File, chance: random.Random | None) -> bytes:
    content = bytearray(file.synced)
    for write in file.waiting if chance is not None else ():
        assert chance is not None
        if write.kind == "z":
            if chance.random() < 0.5:
                _apply(content, write)
        else:  # each sector for itself
            for start in range(0, len(write.data), _SECTOR):
                if chance.random() < 0.5:
                    part = write.data[start : start + _SECTOR]
                    _apply(content, Item("w", 0, write.offset + start, "", part))
    return bytes(content)


def _apply(content: bytearray, write: Item) -> None:
    if write.kind == "z":
        size = write.offset
        del content[size:]
        content.extend(bytes(size - len(content)))
    else:
        end = write.offset + len(write.data)
        content.extend(bytes(max(0, end - len(content))))
        content[write.offset : end] = write.data


def _name(names: dict[str, _File | None], naming: _Naming) -> None:
    if naming.removed is not None:
        names.pop(naming.removed, None)
    if naming.added is not None:
        names[naming.added[0]] = naming.added[1]
