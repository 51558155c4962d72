"""Export keypoints as CSV: one row per person and keypoint, for spreadsheets and statistics programs."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from limbstudio.api import LDPOSE_NAMES, AnnotatedPhoto, KnownError, Person, Photo

COLUMNS = ("photo", "person", "keypoint", "state", "x_px", "y_px", "confidence")


def _rows(photo: Photo, person: Person) -> Iterator[tuple[str | float, ...]]:
    for name, point in zip(LDPOSE_NAMES, person.keypoints.points, strict=True):
        # Positions of points that are not there stay hidden: in a table they would look measured.
        position = (point.x, point.y) if point.constrains_fit else (None, None)
        x, y = ("" if value is None else value for value in position)
        yield photo.path, person.id, name, point.state.value, x, y, point.confidence


class CsvKeypoints:
    """Write every keypoint of every person; x_px and y_px (upright photo) are empty unless observed."""

    api_version = 1
    name = "Keypoints as CSV"
    suffix = ".csv"

    def export(self, annotations: Sequence[AnnotatedPhoto], path: Path) -> None:
        """Write the table to `path` in UTF-8; raise KnownError when the file cannot be written."""
        try:
            with path.open("w", encoding="utf-8", newline="") as file:
                table = csv.writer(file)
                table.writerow(COLUMNS)
                for annotated in annotations:
                    for person in annotated.people:
                        table.writerows(_rows(annotated.photo, person))
        except OSError as error:
            raise KnownError(
                f"The keypoints could not be written to {path}: {error.strerror}.",
                "Choose another folder, or free some space, and export again.",
            ) from error
