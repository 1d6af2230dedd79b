"""What an interval decides, and the pictures that show it."""

import pytest

from halab.measure.experiments.comparison_view import CurveView, Line, Ratios, RatioView, decision
from halab.models.bootstrap import Interval, turns_until_outside
from halab.tables import Table

TABLE = Table("t", ("a",), (("1",),))


@pytest.mark.parametrize(
    ("interval", "decided"),
    [
        ((1.1, 1.5, 2.0), "more"),
        ((0.5, 0.7, 0.9), "less"),
        ((0.8, 1.0, 1.2), "no difference was shown, and the card's is ruled out"),
        ((0.97, 1.67, 2.95), "undecided"),
    ],
)
def test_an_interval_decides_between_no_difference_and_the_card_and_no_more(interval, decided):
    assert decision(Interval(*interval), 2.8, 4).startswith(decided)


def test_undecided_says_how_many_more_turns_would_decide():
    # ln(1.67 / 0.97) = 0.543 and ln(1.67) = 0.513: 4 * (0.543 / 0.513)^2 = 4.5 turns, so one more.
    assert turns_until_outside(Interval(0.97, 1.67, 2.95), 1.0, 4) == pytest.approx(4.49, abs=0.01)
    said = decision(Interval(0.97, 1.67, 2.95), 2.8, 4)
    assert said.endswith("About 1 more turn each would decide (repeats=5)")
    assert turns_until_outside(Interval(0.5, 1.0, 2.0), 1.0, 4) == float("inf")
    with pytest.raises(ValueError, match="above 0"):
        turns_until_outside(Interval(0, 1, 2), 1.0, 4)


def test_a_ratio_s_picture_has_a_dot_for_each_turn_and_words_for_who_does_not_see_it():
    ratios = [Ratios("3 replicas", Interval(0.9, 1.2, 1.5), [0.9, 1.2, 1.5])]
    view = RatioView("So it is.", ratios, [Line("the card", 2.8)], [TABLE], simulated=True)
    page = view._repr_html_()
    assert page.count("<circle") == 3
    assert "SIMULATED. So it is." in page
    assert "<details>" in page
    assert "3 replicas: x 1.20, interval x 0.90 to x 1.50, 3 turns. the card: x 2.80." in page


def test_a_curve_s_picture_has_its_points():
    turns = {1: [10.0], 2: [18.0, 19.0]}
    view = CurveView("law", turns, lambda n: Interval(9 * n, 10 * n, 11 * n), 5, [TABLE])
    assert view._repr_html_().count("<circle") == 3
    assert "5: 50" in view.alt
