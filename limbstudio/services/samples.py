"""The sample project: synthetic people, ready to be opened, edited and spoiled."""

from pathlib import Path

from limbstudio.domain.errors import KnownError
from limbstudio.resources import resource_path
from limbstudio.services import settings
from limbstudio.services.studio import Studio

_NAME = "Sample project.limb"


def sample_project(folder: Path | None = None) -> Path:
    """Return the user's own copy of the sample project, made at the first call.

    folder: where the copy lies; in the user's folder by default. Photos are referenced where they were installed.
    Raises KnownError when the samples are not installed or the copy cannot be written.
    """
    folder = folder or settings.home_folder() / _NAME
    if folder.is_dir():
        return folder
    annotations = resource_path("samples/annotations.json")
    if not annotations.is_file():
        raise KnownError("The sample project is not installed.", "Run “limbstudio samples make” once.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KnownError(
            f"{folder.parent} cannot be written: {error.strerror}.",
            "Set LIMBSTUDIO_HOME to a folder that can.",
        ) from error
    studio = Studio(run_inline=True)
    try:
        studio.create(folder)
        _ = studio.import_annotations(annotations).result  # raises what went wrong
    finally:
        studio.quit()
    return folder
