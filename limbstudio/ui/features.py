"""The window's features: objects that own some of its actions and know one subject, made once with the window.

A new feature is a class here-listed, a table of rows in `limbstudio.ui.rows` and a member of `Owner`.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from limbstudio.ui.action_row import Owner
from limbstudio.ui.theme import Theme

if TYPE_CHECKING:
    from limbstudio.ui.main_window import MainWindow


class Feature(QObject):
    """One subject of the window. Its methods are the slots of the rows whose owner it is.

    window: gives the session, the pages, the panels, the actions and the message bar.
    """

    owner: Owner

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self.window = window
        self.session = window.session

    def set_theme(self, theme: Theme) -> None:
        """Redraw in the colours of `theme`."""

    def available(self) -> frozenset[str]:
        """Return what is there now, in the words of the rows' `needs`."""
        return frozenset()

    def close(self) -> None:
        """Let go of threads and windows; the window is closing."""


def feature_classes() -> tuple[type[Feature], ...]:
    """Return the features in the order in which they are made."""
    # Imported here: they import this module.
    from limbstudio.ui.annotate.proposals import Proposals
    from limbstudio.ui.appearance import Appearance
    from limbstudio.ui.background.feature import Jobs
    from limbstudio.ui.canvas.looking import Looking
    from limbstudio.ui.canvas.selecting import Selecting
    from limbstudio.ui.help.feature import Help
    from limbstudio.ui.history_panel import History
    from limbstudio.ui.language import LanguageChoice
    from limbstudio.ui.limb.correcting import Correcting
    from limbstudio.ui.limb.measuring import Measuring
    from limbstudio.ui.living.comparing import Comparing
    from limbstudio.ui.living.fit_options import FitOptionsFeature
    from limbstudio.ui.living.live_body import LivingBody
    from limbstudio.ui.living.predicting import Predicting
    from limbstudio.ui.masks.feature import Masks
    from limbstudio.ui.mesh_speech import MeshSpeech
    from limbstudio.ui.people_feature import People
    from limbstudio.ui.photo_search import PhotoSearch
    from limbstudio.ui.plugins_feature import PluginsFeature
    from limbstudio.ui.privacy.feature import Privacy
    from limbstudio.ui.resizing import Resizing
    from limbstudio.ui.shortcuts.by_keys import ByKeys
    from limbstudio.ui.shortcuts.feature import Shortcuts
    from limbstudio.ui.shortcuts.switches import Switches

    return (
        Looking,
        Selecting,
        People,
        History,
        Jobs,
        Masks,
        PluginsFeature,
        Proposals,
        Shortcuts,
        Switches,
        PhotoSearch,
        LivingBody,
        Measuring,
        Correcting,
        Comparing,
        FitOptionsFeature,
        Predicting,
        Appearance,
        Privacy,
        Help,
        MeshSpeech,
        LanguageChoice,
        ByKeys,
        Resizing,
    )
