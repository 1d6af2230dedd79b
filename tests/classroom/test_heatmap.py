import random
import xml.etree.ElementTree as ElementTree
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from matplotlib.patches import Rectangle

from halab.classroom import heatmap
from halab.classroom.class_grading import ClassReport, Result
from halab.classroom.heatmap import describe, draw, save
from halab.classroom.submissions import ClassSubmissions, Submission
from halab.course.catalogue import CATALOGUE
from halab.grading.grader import Check

ONE, TWO = "06-failover-timeline", "07-rto-rpo"
SVG = "{http://www.w3.org/2000/svg}"


def report(results, learners=None):
    learners = learners or sorted({one.learner for one in results})
    submissions = tuple(Submission(one.learner, one.assignment, Path("x")) for one in results)
    return ClassReport(ClassSubmissions(Path("/a <class>"), tuple(learners), submissions, ()), tuple(results))


def graded(learner, name, points):
    return Result(learner, name, "graded", 20, "", (Check("a", "06.1", "A", points, 20),))


FEW = report(
    [
        graded("ada", ONE, 20),
        graded("ada", TWO, 7),
        Result("bo", ONE, "refused", 20, "why"),
        Result("bo", TWO, "not graded", 20, "why"),
        graded("chen", ONE, 0),
    ]
)


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def boxes(figure):
    return {
        (box.get_x() + 0.5, box.get_y() + 0.5): box
        for box in figure.axes[0].patches
        if isinstance(box, Rectangle)
    }


def test_each_cell_says_in_signs_what_its_colour_says():
    figure = draw(FEW)
    assert words(figure) == ["100", "× 0", "0", "33", "35", "?", "35"]
    assert boxes(figure)[1, 2].get_hatch()  # chen did not hand in the second
    assert [at for at, box in boxes(figure).items() if box.get_hatch()] == [(1, 2)]


def test_learners_and_cards_are_named_and_every_sign_is_explained():
    figure = draw(FEW)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ada", "bo", "chen", "mean"]
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "06\nfailover\ntimeline",
        "07\nrto\nrpo",
    ]
    legend = " ".join(text.get_text() for text in figure.legends[0].get_texts())
    for sign in ("100 % of the points", "× 0", "?", "not handed in"):
        assert sign in legend


def test_the_description_counts_what_the_picture_shows():
    told = describe(FEW)
    assert "Card 06 failover timeline: mean 33 %; 2 graded, 1 refused, 0 not graded, 0 not handed in." in told
    assert "Card 07 rto rpo: mean 35 %; 1 graded, 0 refused, 1 not graded, 1 not handed in." in told


def test_a_card_that_nobody_has_a_grade_for_has_no_mean():
    due = report([Result("ada", ONE, "not graded", 20, "why")])
    assert words(draw(due)) == ["?"]
    assert "no grade yet" in describe(due)


def test_the_svg_speaks_and_its_letters_are_letters(tmp_path):
    _, svg = save(FEW, tmp_path)
    root = ElementTree.parse(svg).getroot()
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert "a <class>" in root[0].text
    assert root[1].text == describe(FEW)
    assert "ada" in [text.text for text in root.iter(f"{SVG}text")]


def test_the_same_report_gives_the_same_files(tmp_path):
    made = [[path.read_bytes() for path in save(FEW, tmp_path)] for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.slow
@pytest.mark.parametrize(("learners", "cards"), [(1, 1), (3, 10), (50, 4)])
def test_rows_stay_readable_however_many_there_are(learners, cards, tmp_path, monkeypatch):
    dice = random.Random(learners)
    slugs = [card.slug for card in CATALOGUE[:cards]]
    names = [f"learner-{number:03d}@school.example" for number in range(learners)]
    many = report([graded(name, slug, dice.randint(0, 20)) for name in names for slug in slugs])
    figure = draw(many)
    monkeypatch.setattr(heatmap, "draw", lambda report: figure)
    png, _ = save(many, tmp_path)
    axes = figure.axes[0]
    labels = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(lower.y1 <= upper.y0 for upper, lower in pairwise(labels))  # no name lies on the next
    assert min(label.x0 for label in labels) >= 0
    widest = max(text.get_window_extent().width for text in axes.texts)
    assert widest < axes.get_window_extent().width / cards
    assert imread(png).shape[0] > 20 * learners  # pixels: enough to read letters in


@pytest.mark.slow
def test_a_class_of_thousands_still_fits_what_viewers_can_show(tmp_path, monkeypatch):
    monkeypatch.setattr(heatmap, "_MOST_PIXELS", 1000)
    png, _ = save(report([graded(f"learner-{number}", ONE, 1) for number in range(60)]), tmp_path)
    assert imread(png).shape[0] <= 1001


@pytest.mark.parametrize("points", range(21))
def test_figures_stand_out_from_their_colour(points):
    figure = draw(report([graded("ada", ONE, points)]))
    text = figure.axes[0].texts[0]
    light, dark = sorted(map(luminance, (text.get_color(), boxes(figure)[0, 0].get_facecolor()[:3])))[::-1]
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.2, contrast (minimum)


def luminance(colour):
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
