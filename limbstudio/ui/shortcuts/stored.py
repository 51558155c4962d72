"""The keys that a person chose: kept in the window's memory, written to a file, read from one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QSettings

from limbstudio.domain.errors import KnownError
from limbstudio.ui.shortcuts.keys import RESERVED, Keys, normal
from limbstudio.ui.shortcuts.profiles import PROFILE, PROFILES

SUFFIX = ".keys.json"
_VERSION = 1


@dataclass
class OwnKeys:
    """What a person chose. profile: its id; keys: profile id -> action id -> keys, only where they were changed."""

    profile: str = PROFILES[0].id
    keys: dict[str, dict[str, Keys]] = field(default_factory=dict)

    def of(self, profile: str) -> dict[str, Keys]:
        """Return the changes to one profile; they can be changed in place."""
        return self.keys.setdefault(profile, {})

    @property
    def now(self) -> dict[str, Keys]:
        return self.of(self.profile)


@dataclass(frozen=True)
class ReadKeys:
    """What a file of keys said. left_out: what was not taken, in words."""

    own: OwnKeys
    left_out: tuple[str, ...]


def load(memory: QSettings) -> OwnKeys:
    """Return what the window remembers; what cannot be read is as never changed."""
    own = OwnKeys()
    profile = str(memory.value("shortcuts/profile", own.profile))
    own.profile = profile if profile in PROFILE else own.profile
    for known in PROFILES:
        text = memory.value(f"shortcuts/{known.id}")
        if isinstance(text, str):
            try:
                own.keys[known.id] = _keys_from(json.loads(text), [])
            except (ValueError, KnownError):
                continue
    return own


def save(memory: QSettings, own: OwnKeys) -> None:
    """Remember what was chosen."""
    memory.setValue("shortcuts/profile", own.profile)
    for profile in PROFILES:
        changed = own.keys.get(profile.id)
        if changed:
            memory.setValue(f"shortcuts/{profile.id}", json.dumps(changed, sort_keys=True))
        else:
            memory.remove(f"shortcuts/{profile.id}")
    memory.sync()


def write_file(path: Path, own: OwnKeys) -> None:
    """Write everything that was chosen to a file. KnownError when it cannot be written."""
    content = {
        "limbstudio_keys": _VERSION,
        "profile": own.profile,
        "keys": {profile: changed for profile, changed in own.keys.items() if changed},
    }
    try:
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise KnownError(
            f"{path.name} could not be written: {error.strerror}.", "Choose another place."
        ) from error


def read_file(path: Path) -> ReadKeys:
    """Read a file of keys. KnownError when it is none; single keys that cannot be are left out and told."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KnownError(
            f"{path.name} could not be read: {error.strerror}.", "Choose another file."
        ) from error
    except ValueError as error:
        raise KnownError(
            f"{path.name} is no file of shortcuts.", "Choose a file that LimbStudio exported."
        ) from error
    if (
        not isinstance(content, dict)
        or not isinstance(content.get("keys"), dict)
        or "limbstudio_keys" not in content
    ):
        raise KnownError(f"{path.name} is no file of shortcuts.", "Choose a file that LimbStudio exported.")
    if content["limbstudio_keys"] != _VERSION:
        raise KnownError(f"{path.name} was written by a newer version.", "Update LimbStudio to read it.")
    left_out: list[str] = []
    own = OwnKeys(content["profile"] if content.get("profile") in PROFILE else PROFILES[0].id)
    for profile, changed in content["keys"].items():
        if profile in PROFILE:
            own.keys[profile] = _keys_from(changed, left_out)
        else:
            left_out.append(f"The profile “{profile}” is not known here.")
    return ReadKeys(own, tuple(left_out))


def _keys_from(changed: object, left_out: list[str]) -> dict[str, Keys]:
    if not isinstance(changed, Mapping):
        raise KnownError("The keys are not written as a table.", "Choose a file that LimbStudio exported.")
    found = {}
    for action, keys in changed.items():
        if not isinstance(action, str) or not isinstance(keys, list):
            left_out.append(f"The keys of “{action}” could not be read.")
            continue
        good = []
        for key in keys:
            stored = normal(key) if isinstance(key, str) else ""
            if not stored or stored in RESERVED:
                reason = f"it {RESERVED[stored]}" if stored else "it is no key"
                left_out.append(f"{key} for “{action}”: {reason}.")
            else:
                good.append(stored)
        found[action] = tuple(dict.fromkeys(good))
    return found
