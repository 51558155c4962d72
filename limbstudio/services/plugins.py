"""Find and load plugins: installed ones by entry point, others by the folders they lie in.

A plugin that cannot be loaded is reported beside those that can; it never stops the program.
"""

import importlib.metadata
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from types import MappingProxyType

from limbstudio.api import API_VERSION, ENTRY_POINT_GROUP, Command, Detector, Exporter, Inspector
from limbstudio.domain.errors import KnownError
from limbstudio.services import settings

_Plugin = Exporter | Command | Inspector | Detector
_CHECKOUT_PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


@dataclass(frozen=True)
class Refused:
    """A plugin that was found and not loaded. name: its entry point. reason: for people, a whole sentence."""

    name: str
    reason: str


@dataclass(frozen=True)
class Plugins:
    """The plugins that can be used, by entry point name, and those that cannot."""

    exporters: Mapping[str, Exporter]
    refused: tuple[Refused, ...]
    commands: Mapping[str, Command] = field(default_factory=dict)
    inspectors: Mapping[str, Inspector] = field(default_factory=dict)
    detectors: Mapping[str, Detector] = field(default_factory=dict)

    def exporter(self, name: str) -> Exporter:
        """Return the exporter of that entry point name; raise KnownError when there is none."""
        if name not in self.exporters:
            known = ", ".join(sorted(self.exporters)) or "none"
            why = next((r.reason for r in self.refused if r.name == name), "")
            raise KnownError(
                f"There is no exporter named {name}. {why}".strip(), f"Exporters found: {known}."
            )
        return self.exporters[name]

    def detector(self, name: str) -> Detector:
        """Return the detector of that entry point name; raise KnownError when there is none."""
        if name not in self.detectors:
            known = ", ".join(sorted(self.detectors)) or "none"
            why = next((r.reason for r in self.refused if r.name == name), "")
            raise KnownError(
                f"There is no detector named {name}. {why}".strip(), f"Detectors found: {known}."
            )
        return self.detectors[name]


def plugin_folders() -> tuple[Path, ...]:
    """Return the folders whose subfolders are plugins: the checkout's own and the user's."""
    return (_CHECKOUT_PLUGINS, settings.plugins_folder())


def discover(folders: Sequence[Path] | None = None) -> Plugins:
    """Find and load every plugin.

    folders: where to look beside installed packages; `plugin_folders()` when None.
    The first plugin of a name wins: installed ones come first, then the folders in order.
    """
    found_plugins: dict[str, _Plugin] = {}
    refused: list[Refused] = []
    for found in _candidates(plugin_folders() if folders is None else folders):
        if isinstance(found, Refused):
            refused.append(found)
        elif found.name not in found_plugins:
            loaded = _load(found)
            if isinstance(loaded, Refused):
                refused.append(loaded)
            else:
                found_plugins[found.name] = loaded
    return Plugins(
        MappingProxyType({n: p for n, p in found_plugins.items() if isinstance(p, Exporter)}),
        tuple(refused),
        MappingProxyType({n: p for n, p in found_plugins.items() if isinstance(p, Command)}),
        MappingProxyType({n: p for n, p in found_plugins.items() if isinstance(p, Inspector)}),
        MappingProxyType({n: p for n, p in found_plugins.items() if isinstance(p, Detector)}),
    )


def described(found: Plugins) -> dict[str, list[dict[str, object]]]:
    """Return the plugins by what they do, as plain values."""
    return {
        "exporters": [{"name": n, "title": e.name, "suffix": e.suffix} for n, e in found.exporters.items()],
        "commands": [{"name": n, "title": c.name, "keys": list(c.keys)} for n, c in found.commands.items()],
        "inspectors": [{"name": n, "title": i.name} for n, i in found.inspectors.items()],
        "detectors": [{"name": n, "title": d.name} for n, d in found.detectors.items()],
        "refused": [{"name": refused.name, "reason": refused.reason} for refused in found.refused],
    }


def _candidates(folders: Sequence[Path]) -> Iterator[EntryPoint | Refused]:
    yield from importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
    for folder in folders:
        for configuration in sorted(folder.glob("*/pyproject.toml")):
            yield from _announced(configuration)


def _announced(configuration: Path) -> Iterator[EntryPoint | Refused]:
    """List the entry points that a plugin folder's pyproject.toml announces, and make them importable."""
    folder = configuration.parent
    try:
        project = tomllib.loads(configuration.read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError) as error:
        yield Refused(folder.name, f"{configuration} cannot be read: {error}.")
        return
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # at the end: a plugin must not hide a module of ours
    for name, value in project.get("entry-points", {}).get(ENTRY_POINT_GROUP, {}).items():
        yield EntryPoint(name, value, ENTRY_POINT_GROUP)


def _load(entry_point: EntryPoint) -> "_Plugin | Refused":
    name = entry_point.name
    try:
        target = entry_point.load()
        plugin = target() if isinstance(target, type) else target
    except Exception as error:  # noqa: BLE001 - the border "plugin load": somebody else's code may raise anything
        return Refused(name, f"The plugin {name} failed to load: {type(error).__name__}: {error}.")
    if not isinstance(plugin, (Exporter, Command, Inspector, Detector)):
        return Refused(
            name,
            f"The plugin {name} is no exporter (api_version, name, suffix, export()), no command (api_version, name, "
            "keys, run()), no inspector (api_version, name, facts()) and no detector (api_version, name, find()).",
        )
    if plugin.api_version != API_VERSION:
        written_for = f"The plugin {name} was written for version {plugin.api_version} of limbstudio.api"
        return Refused(name, f"{written_for}, not {API_VERSION}. Ask its author for a newer one.")
    return plugin
