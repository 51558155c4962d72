"""What works on this computer, what is missing, and how to get it."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from limbstudio import __version__
from limbstudio.domain.errors import KnownError
from limbstudio.services.settings import bodies_folder, home_folder, weights_folder

Report = Callable[[float, str], None]

_ENOUGH_DISK_GB = 2.0
_PROBE_TIMEOUT_S = 60  # a first import of torch from a slow disk takes half a minute


class Verdict(StrEnum):
    WORKS = "works"
    OPTIONAL = "optional"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. needed: without it `reconstruct` does not work. hint: how to get it."""

    subject: str
    verdict: Verdict
    message: str
    hint: str = ""
    needed: bool = False

    @property
    def prevents_work(self) -> bool:
        return self.needed and self.verdict is Verdict.MISSING

    @property
    def line(self) -> str:
        """Return the finding for people."""
        mark = {Verdict.WORKS: "ok     ", Verdict.OPTIONAL: "-      ", Verdict.MISSING: "MISSING"}[
            self.verdict
        ]
        hint = f"\n                   {self.hint}" if self.hint else ""
        return f"{mark} {self.subject:<10} {self.message}{hint}"

    def as_plain(self) -> Mapping[str, Any]:
        return asdict(self)


def diagnose(report: Report = lambda fraction, sentence: None) -> list[Finding]:
    """Look at everything LimbStudio stands on, most needed first."""
    checks: tuple[tuple[str, Callable[[], list[Finding]]], ...] = (
        ("program", _program),
        ("packages", _packages),
        ("body", _body),
        ("samples", _samples),
        ("weights", _weights),
        ("GPU", _gpu),
        ("3D pictures", _gl),
        ("window", _qt),
        ("disk", _disk),
        ("plugins", _plugins),
    )
    findings = []
    for i, (words, check) in enumerate(checks):
        report(i / len(checks), f"Looking at {words}")
        findings += check()
    report(1.0, "Done")
    return findings


def _program() -> list[Finding]:
    version = ".".join(platform.python_version_tuple())
    if sys.version_info[:2] not in ((3, 11), (3, 12)):
        hint = "Install Python 3.11 or 3.12 and run: make setup"
        return [Finding("Python", Verdict.MISSING, f"{version} is not supported.", hint, needed=True)]
    return [
        Finding(
            "LimbStudio", Verdict.WORKS, f"{__version__}, Python {version}, {platform.platform(terse=True)}"
        )
    ]


_NEEDED = ("numpy", "opencv-python-headless", "pillow")
_FOR_OTHERS = {
    "scipy": "benchmarks", "torch": "paper mode on a GPU and networks", "smplx": "SMPL files",
    "matplotlib": "plots of evaluate", "pillow-heif": "HEIC photos", "pyvista": "the 3D view",
    "PySide6-Essentials": "the window", "pyvistaqt": "the 3D view",
}  # fmt: skip


def _packages() -> list[Finding]:
    def version(name: str) -> str | None:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return None

    findings = []
    missing = [name for name in _NEEDED if version(name) is None]
    if missing:
        findings.append(
            Finding("packages", Verdict.MISSING, f"{', '.join(missing)}", "Run: make setup", needed=True)
        )
    for name, use in _FOR_OTHERS.items():
        if version(name) is None:
            findings.append(Finding("packages", Verdict.MISSING, f"{name} (for {use})", "Run: make setup"))
    if not findings:
        count = len(_NEEDED) + len(_FOR_OTHERS)
        findings.append(Finding("packages", Verdict.WORKS, f"all {count} are installed"))
    return findings


def _body() -> list[Finding]:
    from limbstudio.body.model import load_body

    try:
        body = load_body()
        findings = [
            Finding("body", Verdict.WORKS, f"{body.name}: {body.n_vertices} vertices, {body.n_shape} shapes")
        ]
    except KnownError as error:
        findings = [Finding("body", Verdict.MISSING, error.message, error.hint, needed=True)]
    own = _files(bodies_folder(), (".npz", ".pkl"))
    for path in own:
        try:
            findings.append(Finding("own body", Verdict.WORKS, f"{path.name}: {load_body(path).kind}"))
        except KnownError as error:
            findings.append(Finding("own body", Verdict.MISSING, error.message, error.hint))
    if not own:
        hint = f"SMPL, SMPL-H and SMPL-X files can be put into {bodies_folder()}, or given with --body."
        findings.append(Finding("own body", Verdict.OPTIONAL, "none; the bundled body is used", hint))
    return findings


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes)
    except OSError:
        return []


def _samples() -> list[Finding]:
    from limbstudio.services.demonstrating import sample_folder

    try:
        folder = sample_folder()
    except KnownError as error:
        return [Finding("samples", Verdict.MISSING, error.message, error.hint)]
    return [Finding("samples", Verdict.WORKS, f"{len(list(folder.glob('*.jpg')))} synthetic people")]


def _weights() -> list[Finding]:
    found = _files(weights_folder(), (".pt", ".pth", ".ckpt", ".safetensors"))
    if found:
        return [Finding("weights", Verdict.WORKS, ", ".join(path.name for path in found))]
    hint = f"`limbstudio weights add FILE...` checks your own and puts them into {weights_folder()}."
    return [Finding("weights", Verdict.OPTIONAL, "none; reconstruction from placed points needs none", hint)]


# ------------------------------------------------------------ what may crash is asked in a process of its own


def _probe(code: str) -> tuple[bool, str]:
    """Run Python code in a process of its own; return whether it ended well, and its last line."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", code]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer in {_PROBE_TIMEOUT_S} seconds"
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return done.returncode == 0, lines[-1] if lines else f"ended with {done.returncode}"


def _gpu() -> list[Finding]:
    if importlib.util.find_spec("torch") is None:
        return [Finding("GPU", Verdict.OPTIONAL, "PyTorch is not installed", "Run: make setup")]
    code = (
        "import torch; c = torch.cuda.is_available(); "
        "print(torch.__version__ + ', ' + (torch.cuda.get_device_name(0) if c else 'no CUDA GPU'))"
    )
    works, words = _probe(code)
    if not works:
        return [Finding("GPU", Verdict.MISSING, f"PyTorch does not start: {words}", "Run: make setup")]
    if words.endswith("no CUDA GPU"):
        hint = "Everything works on the CPU; for batches, a CUDA GPU and its driver can be added."
        return [Finding("GPU", Verdict.OPTIONAL, f"PyTorch {words}", hint)]
    return [Finding("GPU", Verdict.WORKS, f"PyTorch {words}")]


def _gl() -> list[Finding]:
    code = (
        "import vtk; w = vtk.vtkRenderWindow(); w.SetOffScreenRendering(1); w.SetSize(16, 16); w.Render(); "
        "found = [line.split(':', 1)[1].strip() for line in w.ReportCapabilities().splitlines() "
        "if 'OpenGL renderer string' in line]; print(', '.join([w.GetClassName(), *found]))"
    )
    works, words = _probe(code)
    if works:
        return [Finding("OpenGL", Verdict.WORKS, words)]
    hint = "Install OpenGL: apt-get install libgl1 libegl1. Pictures of reconstruct are drawn without it."
    return [Finding("OpenGL", Verdict.MISSING, f"VTK cannot draw: {words}", hint)]


def _qt() -> list[Finding]:
    code = "import PySide6, PySide6.QtWidgets; print('Qt ' + PySide6.__version__)"
    works, words = _probe(code)
    if not works:
        hint = "Install Qt's libraries: apt-get install libegl1 libxkbcommon0 libdbus-1-3 libfontconfig1"
        return [Finding("window", Verdict.MISSING, f"Qt does not start: {words}", hint)]
    headless = sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    if headless:
        hint = "Start it on a desktop, or on a virtual display: xvfb-run limbstudio studio"
        return [Finding("window", Verdict.OPTIONAL, f"{words}, but there is no display", hint)]
    return [Finding("window", Verdict.WORKS, words)]


def _disk() -> list[Finding]:
    findings = []
    home = home_folder()
    place = next((p for p in (home, *home.parents) if p.is_dir()), None)
    if place is None or not os.access(place, os.W_OK):
        hint = "Set LIMBSTUDIO_HOME to a folder of your own."
        findings.append(Finding("home", Verdict.MISSING, f"{home} may not be written to", hint))
    else:
        findings.append(Finding("home", Verdict.WORKS, str(home)))
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    enough = free_gb >= _ENOUGH_DISK_GB
    hint = "" if enough else "Free some space: a person takes about 5 MB, a project of photos far more."
    findings.append(
        Finding("disk", Verdict.WORKS if enough else Verdict.MISSING, f"{free_gb:.1f} GB free", hint)
    )
    return findings


def _plugins() -> list[Finding]:
    from limbstudio.services.plugins import discover

    found = discover()
    bad = [Finding("plugin", Verdict.MISSING, refused.reason) for refused in found.refused]
    names = ", ".join(found.exporters) or "none"
    return [Finding("plugins", Verdict.WORKS if found.exporters else Verdict.OPTIONAL, names), *bad]
