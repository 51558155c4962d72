"""Points are found by the letters of their names."""

from limbstudio.domain.anatomy import LDPOSE, LDPOSE_INDEX
from limbstudio.ui.canvas.names import matching_points

ALL = range(len(LDPOSE))


def names(text: str) -> list[str]:
    return [LDPOSE[index].name for index in matching_points(text, ALL)]


def test_initials_find_a_point():
    assert names("lk")[0] == "left_knee"
    assert names("rw") == ["right_wrist"]


def test_spaces_and_longer_pieces_find_it_too():
    assert names("le kn")[0] == "left_knee"
    assert names("Left knee")[0] == "left_knee"


def test_a_word_alone_finds_both_sides():
    assert names("ank") == ["left_ankle", "right_ankle"]


def test_residual_ends_are_found_by_the_words_of_their_names():
    found = names("rbelowkn")
    assert found == [LDPOSE[LDPOSE_INDEX["below_right_knee_end"]].name]


def test_nothing_begins_with_strange_letters_and_everything_with_none():
    assert names("xq") == []
    assert len(names("")) == len(LDPOSE)
