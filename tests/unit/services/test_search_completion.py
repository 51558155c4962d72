"""What can be typed next in a search."""

import pytest

from limbstudio.services.search_completion import completions, every_sentence
from limbstudio.services.search_grammar import FIELDS, parse


def offered(query: str) -> list[str]:
    return [choice.text for choice in completions(query, len(query)).choices]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("st", ["state:"]),
        ("s", ["state:", "side:", "score>"]),
        ("state:re", ["state:ready"]),
        ("side:", ["side:left", "side:right"]),
        ("limb:tib", ["limb:transtibial"]),
        ("LIMB:Trans-t", []),
        ("state:sent-b", ["state:sent_back"]),
        ("state:ready -is:un", ["is:unfinished"]),
        ("(dev", ["device:"]),
        ("side=l", ["side=left"]),
        ("annotator:", ["annotator:me"]),
        ("peop", ["people>"]),
    ],
)
def test_a_word_can_become(query, expected):
    assert offered(query) == expected


@pytest.mark.parametrize(
    "query",
    ["", "state:ready", "state:ready ", 'note:"st', "img-st", "score<0", "scar", "limb:transtibial", "2st"],
)
def test_nothing_is_offered_for_what_is_whole_or_free(query):
    assert offered(query) == []


def test_all_values_of_every_field_are_offered_after_its_name():
    for field in FIELDS:
        if field.values:
            assert offered(f"{field.name}:") == [f"{field.name}:{value}" for value in field.values]


def test_what_is_offered_can_be_searched_and_has_words():
    for field in FIELDS:
        for choice in completions(f"{field.name}:", len(field.name) + 1).choices:
            assert parse(choice.text) is not None
            assert choice.words in every_sentence()


def test_the_word_at_the_cursor_is_completed_and_not_the_last_one():
    assert [c.text for c in completions("st limb:arm", 2).choices] == ["state:"]
    assert completions("limb:arm (sta", 13).at == 10
    assert completions("state", 3).choices == ()  # the cursor stands within a word


@pytest.mark.parametrize(
    ("query", "partial"), [("state:re", True), ("state:", False), ("limb:t", True), ("limb:tr", False)]
)
def test_a_value_that_cannot_be_searched_as_it_stands_is_partial(query, partial):
    assert completions(query, len(query)).is_partial is partial
