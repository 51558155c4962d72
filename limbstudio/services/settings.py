"""What a user may set, and where LimbStudio keeps what belongs to the user."""

import os
from pathlib import Path

HOME_VARIABLE = "LIMBSTUDIO_HOME"


def home_folder() -> Path:
    """Return the folder of the user's bodies, weights, plugins and settings; it may not exist yet.

    The environment variable LIMBSTUDIO_HOME names it; by default it is where programs keep a user's data.
    """
    if named := os.environ.get(HOME_VARIABLE):
        return Path(named).expanduser().absolute()
    import platformdirs  # here: most commands never ask

    return Path(platformdirs.user_data_dir("limbstudio", appauthor=False))


def bodies_folder() -> Path:
    """Return where the user's own SMPL, SMPL-H and SMPL-X files are looked for."""
    return home_folder() / "bodies"


def weights_folder() -> Path:
    """Return where network weights that do not ship with LimbStudio are looked for."""
    return home_folder() / "weights"


def plugins_folder() -> Path:
    """Return where the user's own plugin folders are looked for."""
    return home_folder() / "plugins"
