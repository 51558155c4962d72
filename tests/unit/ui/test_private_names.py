"""Names in texts, as they are and while they are hidden."""

import pytest

from limbstudio.domain.photo import Photo
from limbstudio.ui.privacy import names

PHOTO = Photo("a" * 64, 600, 800, "photos/Anna Berg 2.JPG")
NUMBERS = {PHOTO.sha256: 12, "Anna Berg 2.JPG": 12, "x.png": 3}


@pytest.fixture
def hidden():
    names.hide(lambda: NUMBERS)
    yield
    names.show()


def test_names_are_as_in_the_files_at_first():
    assert names.photo_name(PHOTO) == "Anna Berg 2.JPG"
    assert names.person_name(1) == "Person 1"
    assert names.masked("Anna Berg 2.JPG has moved.") == "Anna Berg 2.JPG has moved."


@pytest.mark.usefixtures("hidden")
def test_hidden_names_are_numbers_and_letters():
    assert names.photo_name(PHOTO) == names.photo_place(PHOTO) == "Photo 12"
    assert [names.person_name(n) for n in (1, 2, 26, 27, 28)] == [
        f"Person {letters}" for letters in ("A", "B", "Z", "AA", "AB")
    ]


@pytest.mark.usefixtures("hidden")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Anna Berg 2.JPG has moved. Locate its folder once.", "Photo 12 has moved. Locate its folder once."),
        ("Written: /media/anna/berg/x.png.", "Written: Photo 3."),
        ("Written: /media/Anna Berg/some folder/out.json.", "Written: a file."),
        (r"C:\Users\Anna\scans\y.ply was not found.", "a file was not found."),
        ("Not written: x.png and Anna Berg 2.JPG: why.", "Not written: Photo 3 and Photo 12: why."),
        ("The mask of other.png is empty.", "The mask of a file is empty."),
        ("1.5 mm/px, 3 of 12 points. All changes saved.", "1.5 mm/px, 3 of 12 points. All changes saved."),
        ("Left/right swapped; and/or undone.", "Left/right swapped; and/or undone."),
    ],
)
def test_no_file_is_named_in_a_text(text, shown):
    assert names.masked(text) == shown
