"""Where a head is blurred, from the points of a face or a person's box."""

import math
from dataclasses import replace

import pytest

from limbstudio.domain.anatomy import LDPOSE_INDEX, KeypointState, Posture
from limbstudio.domain.geometry import Box, Keypoints, Point
from limbstudio.domain.photo import Person
from limbstudio.ui.privacy.heads import head_of, veil_of

SIZE = (600, 800)
PLAIN = Person("p", "photo")


def person_with(**places: tuple[float, float]) -> Person:
    points = [Point() for _ in range(25)]
    for name, (x, y) in places.items():
        points[LDPOSE_INDEX[name]] = Point(KeypointState.VISIBLE, x, y)
    return replace(PLAIN, keypoints=Keypoints(tuple(points)))


def test_a_face_is_blurred_from_hair_to_chin():
    # Ears 52 px apart, about 15 cm: a head is then some 80 px high, hair included.
    person = person_with(
        nose=(300, 120), left_eye=(311, 110), right_eye=(289, 110), left_ear=(326, 116), right_ear=(274, 116)
    )

    head = head_of(person, SIZE)

    assert head is not None and head.is_round
    for x, y in ((300, 65), (300, 165), (262, 116), (338, 116)):  # hair, chin, both sides
        reach = math.hypot((x - head.x) / head.width - 0.5, (y - head.y) / head.height - 0.5)
        assert reach <= 0.5


def test_a_nose_alone_takes_its_size_from_the_shoulders():
    person = person_with(nose=(300, 120), left_shoulder=(360, 200), right_shoulder=(240, 200))

    head = head_of(person, SIZE)

    assert head is not None
    assert head.width == pytest.approx(2 * 1.15 * 0.5 * 120)


def test_without_a_face_the_top_of_the_box_is_blurred():
    box = Box(200.0, 50.0, 200.0, 700.0)

    head = head_of(replace(PLAIN, box=box), SIZE)
    lying = head_of(replace(PLAIN, box=box, posture=Posture.LYING), SIZE)

    assert head is not None and lying is not None
    assert (head.x, head.y, head.width, head.height) == pytest.approx((200, 50, 200, 210))
    assert lying.height == 700


@pytest.mark.parametrize("people", [[], [PLAIN], [person_with(nose=(300, 120)), PLAIN]])
def test_the_whole_photo_is_blurred_while_a_head_is_not_known(people):
    veil = veil_of(people, SIZE)

    assert veil is not None and veil.whole
    assert (veil.patches[0].width, veil.patches[0].height) == SIZE


def test_a_photo_without_people_is_clear_once_that_was_confirmed():
    assert veil_of([], SIZE, nobody=True) is None


def test_every_known_head_is_blurred():
    veil = veil_of([person_with(nose=(300, 120)), person_with(nose=(100, 90))], SIZE)

    assert veil is not None and not veil.whole
    assert len(veil.patches) == 2
