"""The words in which photos are searched."""

import pytest

from limbstudio.services.search_grammar import (
    EXAMPLE,
    FIELDS,
    All,
    Either,
    GrammarError,
    Not,
    Term,
    parse,
)

READY, MASK = Term("state", ":", "ready"), Term("has", ":", "mask")


@pytest.mark.parametrize(
    ("query", "means"),
    [
        ("", None),
        ("   ", None),
        ("state:ready", READY),
        ("STATE:Ready", READY),
        ("state:ready has:mask", All((READY, MASK))),
        ("state:ready AND has:mask", All((READY, MASK))),
        ("state:ready OR has:mask", Either((READY, MASK))),
        ("-has:mask", Not(MASK)),
        ("NOT has:mask", Not(MASK)),
        ("state:ready (has:mask OR IMG_1)", All((READY, Either((MASK, Term("", ":", "img_1")))))),
        ("-(state:ready has:mask)", Not(All((READY, MASK)))),
        ('note:"Left hand"', Term("note", ":", "left hand")),
        ('"left hand" or', All((Term("", ":", "left hand"), Term("", ":", "or")))),
        ("score<0.5", Term("score", "<", "0.5")),
        ("people>=2", Term("people", ">=", "2")),
        ("people:2", Term("people", "=", "2")),
        ("limb:below-knee", Term("limb", ":", "transtibial")),
        ('state:"in work"', Term("state", ":", "in_work")),
        ("IMG-0134.jpg", Term("", ":", "img-0134.jpg")),
    ],
)
def test_a_search_means(query, means):
    assert parse(query) == means


@pytest.mark.parametrize(
    ("query", "marked", "says"),
    [
        ("state:ready limp:leg", "limp", "limb:"),
        ("limb:transtibal", "transtibal", "limb:transtibial"),
        ("state:gone", "gone", "in_work"),
        ("score<high", "score<high", "number"),
        ("state<3", "state<3", "state:ready"),
        ("note:", "note:", 'note:"scar"'),
        ('name:a note:"left', '"left', "not closed"),
        ('"left hand', '"left hand', "not closed"),
        ("(has:mask", "(", "not closed"),
        ("has:mask )", ")", "closing"),
        ("has:mask OR", "OR", "both sides"),
        ("OR has:mask", "OR", "both sides"),
        ("a -(b OR)", ")", "both sides"),
    ],
)
def test_what_cannot_be_understood_is_marked_and_explained(query, marked, says):
    with pytest.raises(GrammarError) as caught:
        parse(query)

    error = caught.value
    assert query[error.at : error.at + error.length].strip() == marked
    assert says in f"{error.message} {error.hint}"


def test_every_example_can_be_searched():
    for field in FIELDS:
        for query in (field.example, *(f"{field.name}:{value}" for value in field.values)):
            found = parse(query)
            assert isinstance(found, Term)
            assert found.field == field.name
    assert isinstance(parse(EXAMPLE), All)
