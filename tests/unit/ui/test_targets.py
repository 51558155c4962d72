from limbstudio.ui.targets import HitTarget, Rectangle, TargetKind, find_target, place_card


def test_a_point_is_grabbed_within_twelve_screen_pixels():
    assert find_target((111, 100), {3: (100, 100)}) == HitTarget(TargetKind.POINT, 3)
    assert find_target((113, 100), {3: (100, 100)}) == HitTarget()


def test_the_reach_is_on_screen_not_in_the_photo():
    assert find_target((105, 100), {3: (100, 100)}, zoom=4.0) == HitTarget()
    assert find_target((120, 100), {3: (100, 100)}, zoom=0.5).point == 3


def test_the_selected_point_wins_over_a_nearer_one():
    points = {1: (100, 100), 2: (106, 100)}

    assert find_target((106, 100), points).point == 2
    assert find_target((106, 100), points, selected=1).point == 1


def test_points_of_other_people_come_last():
    others = {"b": {5: (100, 100)}}

    assert find_target((100, 100), {1: (105, 100)}, others=others).point == 1
    assert find_target((100, 100), {}, others=others) == HitTarget(TargetKind.OTHER_PERSON, 5, "b")


def test_the_hint_never_covers_the_expected_place_or_a_point():
    area = Rectangle(0, 0, 800, 600)
    points = [(400, 300), (600, 310)]

    x, y = place_card((240, 100), area, wanted=(500, 300), points=points)

    card = Rectangle(x, y, 240, 100)
    assert not card.holds(500, 300)
    assert not any(card.holds(*p) for p in points)
    assert card.x >= 0
    assert card.x + 240 <= 800


def test_the_hint_avoids_the_bars():
    area = Rectangle(0, 0, 800, 600)
    bar = Rectangle(0, 0, 800, 60)

    x, y = place_card((240, 100), area, wanted=None, points=[], taken=[bar])

    assert not Rectangle(x, y, 240, 100).overlaps(bar)
