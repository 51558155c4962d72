"""Start the window and keep it running."""

import ctypes
import os
import sys
from pathlib import Path

# Before Qt is imported: Wayland breaks VTK's embedded windows, and qtpy must not look for other bindings.
if sys.platform.startswith("linux"):
    os.environ.setdefault("QT_QPA_PLATFORM", "xcb")
os.environ.setdefault("QT_API", "pyside6")

from PySide6.QtCore import QSettings, QTimer  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from limbstudio.domain.errors import KnownError  # noqa: E402
from limbstudio.services import settings  # noqa: E402
from limbstudio.services.samples import sample_project  # noqa: E402
from limbstudio.services.studio import Studio  # noqa: E402
from limbstudio.ui.appearance import remembered_large, remembered_theme  # noqa: E402
from limbstudio.ui.bridge import Bridge  # noqa: E402
from limbstudio.ui.help.feature import Help  # noqa: E402
from limbstudio.ui.language import remembered_language, speak  # noqa: E402
from limbstudio.ui.main_window import MainWindow  # noqa: E402
from limbstudio.ui.messages import install_excepthook  # noqa: E402
from limbstudio.ui.theme import apply_theme, load_fonts  # noqa: E402


def make_application() -> QApplication:
    """Return the one QApplication, with our fonts; KnownError where there is no display."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        _check_display()
        app = QApplication(["limbstudio"])
    app.setApplicationName("LimbStudio")
    load_fonts()
    return app


def _check_display() -> None:
    """Raise KnownError when Qt could not reach the X server: it would end the whole program at once."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM", "") != "xcb":
        return
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return  # Qt says itself which library is missing
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    refused = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    if refused:
        name = os.environ.get("DISPLAY", "")
        what = f"The display {name} cannot be reached." if name else "There is no display for the window."
        raise KnownError(
            what, "Start it on a desktop or with “xvfb-run”; reconstruct, evaluate and demo need no display."
        )


def make_window(project: Path | None = None, *, memory: QSettings | None = None) -> MainWindow:
    """Build the window, on a project when one is given; what keeps it from opening is said in the window."""
    app = make_application()
    memory = memory or QSettings(str(settings.home_folder() / "window.ini"), QSettings.Format.IniFormat)
    speak(remembered_language(memory))
    theme = remembered_theme(memory)
    apply_theme(app, theme, large=remembered_large(memory))
    bridge = Bridge()
    studio = Studio(who=_who(), deliver=bridge.deliver)
    refused: KnownError | None = None
    if project is not None:
        try:
            studio.open(project)
        except KnownError as error:
            refused = error
    window = MainWindow(studio, bridge, theme, memory=memory)
    if refused is not None:
        window.message_bar.say(refused.message, refused.hint)
    return window


def main(project: Path | None = None) -> int:
    """Show the window until it is closed; return the exit code. project: the sample project when None."""
    refused: KnownError | None = None
    if project is None:
        try:
            project = sample_project()
        except KnownError as error:
            refused = error
    window = make_window(project)
    if refused is not None:
        window.message_bar.say(refused.message, refused.hint)
    install_excepthook(lambda e: window.message_bar.say(e.message, e.hint), window.show_report)
    window.show()
    # The first paint must not wait for 3D, which takes more than a second to load.
    QTimer.singleShot(150, window.load_3d)
    help_ = next(feature for feature in window.features if isinstance(feature, Help))
    QTimer.singleShot(1200, help_.begin_first_tour)
    return QApplication.exec()


def _who() -> str:
    return os.environ.get("USER") or os.environ.get("USERNAME") or ""
