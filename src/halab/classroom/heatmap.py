"""A class at a glance: learners by cards, each cell the share of points. A pure function of the report."""

from __future__ import annotations

import html
import io
import re
import unicodedata
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from matplotlib import colormaps, font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.patches import Patch, Rectangle

from halab.classroom.class_grading import ClassReport, Result
from halab.course.catalogue import entry
from halab.folders import write_atomically
from halab.measure.journal.plots import ink
from halab.translation import gettext, ngettext

__all__ = ["describe", "draw", "save"]

_COLOURS = colormaps["cividis"]  # even steps of lightness, and the same for colour-blind readers
_INK, _BLACK, _PALE, _PAPER, _HATCH = "#222222", "#000000", "#ffffff", "#f4f4f4", "#9a9a9a"
_MIDDLE = 0.47  # the share from which black letters stand out more than white ones
_ROW, _COLUMN = 0.24, 1.05  # inches
_MOST_PIXELS = 30_000  # a side; more than that many viewers cannot show
_MORE_FONTS = frozenset(
    {
        "Microsoft YaHei",
        "PingFang SC",
        "SimHei",
        "Source Han Sans SC",
        "WenQuanYi Zen Hei",
        "Noto Sans Devanagari",
    }
)
_HIGH = 40  # rows from which the cards' names stand below as well


def save(report: ClassReport, out: Path) -> tuple[Path, Path]:
    """Write `heatmap.png` and `heatmap.svg`, each with its description inside. Returns their paths."""
    figure, words = draw(report), describe(report)
    png, svg = io.BytesIO(), io.StringIO()
    title = _title(report)
    dpi = min(150, _MOST_PIXELS / figure.get_figheight())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box in the PNG; the SVG keeps the letter
        figure.savefig(png, format="png", dpi=dpi, metadata={"Title": title, "Description": words})
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": "halab"}):  # letters stay letters
            figure.savefig(svg, format="svg", metadata={"Date": None})
    paths = out / "heatmap.png", out / "heatmap.svg"
    write_atomically(paths[0], png.getvalue())
    write_atomically(paths[1], _with_description(svg.getvalue(), title, words).encode())
    return paths


def draw(report: ClassReport) -> Figure:
    """The picture. A number in a cell is the percentage; colour only repeats it."""
    learners, cards = report.submitted.learners, report.submitted.assignments
    longest = max(_width(report.submitted.label(learner)) for learner in learners)
    width = max(0.4 + 0.085 * longest + _COLUMN * (len(cards) + 1), 5.4)
    figure = Figure(figsize=(width, 2.1 + _ROW * (len(learners) + 1)), layout="constrained")
    axes = figure.subplots()
    for column, card in enumerate(cards):
        for row, learner in enumerate(learners):
            _draw_cell(axes, column, row, report.result(learner, card))
        _draw_mean(axes, column, len(learners), [report.result(learner, card) for learner in learners])
    _frame(axes, report)
    figure.suptitle(
        _title(report),
        x=0.01,
        ha="left",
        fontsize=11,
        fontweight="bold",
        color=_INK,
        **_letters_of_all_scripts(),
    )
    _legend(figure)
    return figure


def describe(report: ClassReport) -> str:
    """What the picture shows, in words."""
    learners = report.submitted.learners
    sentences = [
        ngettext(
            "Learners by cards, each cell the percentage of points: {n} learner.",
            "Learners by cards, each cell the percentage of points: {n} learners.",
            len(learners),
        ).format(n=len(learners))
    ]
    for card in report.submitted.assignments:
        results = [report.result(learner, card) for learner in learners]
        shares = _shares(results)
        counts = Counter(result.status if result else "missing" for result in results)
        mean = (
            gettext("mean {percent} %").format(percent=_percent(sum(shares) / len(shares)))
            if shares
            else gettext("no grade yet")
        )
        sentences.append(
            gettext(
                "Card {card}: {mean}; {graded} graded, {refused} refused, {not_graded} not graded, {missing} "
                "not handed in."
            ).format(
                card=_name(card),
                mean=mean,
                graded=counts["graded"],
                refused=counts["refused"],
                not_graded=counts["not graded"],
                missing=counts["missing"],
            )
        )
    if left_out := len(report.submitted.left_out):
        sentences.append(gettext("Left out: {n}; grades.csv says what and why.").format(n=left_out))
    return " ".join(sentences)


def _draw_cell(axes: Axes, column: int, row: int, result: Result | None) -> None:
    share = _share(result) if result else None
    if result is None:
        _box(axes, column, row, facecolor=_PAPER, edgecolor=_HATCH, hatch="////", linewidth=0)
    elif share is None:
        _box(axes, column, row, facecolor=_PALE, edgecolor=_INK, linewidth=1.0, linestyle=":")
        _text(axes, column, row, "?", _INK)
    elif result.status == "refused":
        _box(axes, column, row, facecolor=_COLOURS(0.0), edgecolor=_PALE, linewidth=0.8)
        _text(axes, column, row, "× 0", _PALE)
    else:
        _shaded(axes, column, row, share)


def _draw_mean(axes: Axes, column: int, row: int, results: list[Result | None]) -> None:
    if shares := _shares(results):
        _shaded(axes, column, row + 0.4, sum(shares) / len(shares))


def _shaded(axes: Axes, column: float, row: float, share: float) -> None:
    _box(axes, column, row, facecolor=_COLOURS(share), edgecolor=_PALE, linewidth=0.8)
    _text(axes, column, row, _percent(share), _BLACK if share > _MIDDLE else _PALE)


def _box(axes: Axes, column: float, row: float, **style: Any) -> None:
    # Like the letters, not asked for its extent when the page is laid out: thousands would take seconds.
    axes.add_artist(Rectangle((column - 0.5, row - 0.5), 1, 1, in_layout=False, **style))


def _text(axes: Axes, column: float, row: float, text: str, colour: str) -> None:
    axes.text(
        column, row, text, ha="center", va="center", fontsize=8.5, color=colour, in_layout=False
    )  # fmt: skip


def _frame(axes: Axes, report: ClassReport) -> None:
    learners, cards = report.submitted.learners, report.submitted.assignments
    labels = [report.submitted.label(learner) for learner in learners]
    axes.set_xlim(-0.5, len(cards) - 0.5)
    axes.set_ylim(len(learners) + 0.95, -0.5)
    axes.set_xticks(range(len(cards)), [_name(card, "\n") for card in cards], fontsize=8.5)
    axes.set_yticks(
        [*range(len(learners)), len(learners) + 0.4],
        [*labels, gettext("mean")],
        fontsize=8.5,
        **_letters_of_all_scripts(),
    )
    axes.tick_params(length=0, labeltop=True, labelbottom=len(learners) > _HIGH)
    axes.spines[:].set_visible(False)


def _letters_of_all_scripts() -> dict[str, Any]:
    """How names are written: in fonts of this machine with letters beyond Latin, and never as formulas."""
    ink()  # makes fonts known that are newer than matplotlib's own list
    names = set(font_manager.get_font_names())
    others = [name for name in sorted(names) if "CJK" in name or name in _MORE_FONTS]
    return {"fontfamily": ["DejaVu Sans", *others], "parse_math": False}


def _width(label: str) -> int:
    """Letters of a label; a Chinese one is as wide as two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in label)


def _legend(figure: Figure) -> None:
    scale = tuple(Patch(facecolor=_COLOURS(share)) for share in (0.0, 0.5, 1.0))
    kinds: dict[str, Any] = {
        gettext("0, 50, 100 % of the points"): scale,
        gettext("× 0: refused, see grades.csv"): Patch(facecolor=_COLOURS(0.0)),
        gettext("?: not graded, the course's fault"): Patch(facecolor=_PALE, edgecolor=_INK, linestyle=":"),
        gettext("not handed in"): Patch(facecolor=_PAPER, edgecolor=_HATCH, hatch="////", linewidth=0),
    }
    figure.legend(
        list(kinds.values()), list(kinds), loc="outside lower left", ncols=2, frameon=False,
        prop={"family": _letters_of_all_scripts()["fontfamily"], "size": 8.5},
        handlelength=3, handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
    )  # fmt: skip


def _share(result: Result) -> float | None:
    """The fraction of the points, 0 to 1; None if it was not graded or is worth none."""
    return None if result.points is None or not result.out_of else min(result.points / result.out_of, 1.0)


def _shares(results: list[Result | None]) -> list[float]:
    return [share for result in results if result and (share := _share(result)) is not None]


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def _name(assignment: str, between: str = " ") -> str:
    number, *words = assignment.split("-")
    return between.join([number, *words])


def _title(report: ClassReport) -> str:
    cards = report.submitted.assignments
    what = (
        str(entry(int(cards[0][:2])).title) if len(cards) == 1 else gettext("{n} cards").format(n=len(cards))
    )
    count = len(report.submitted.learners)
    learners = ngettext("{n} learner", "{n} learners", count).format(n=count)
    if number := len(report.submitted.left_out):
        learners += gettext(", {n} left out").format(n=number)
    return gettext("{folder}: {what}, {learners}").format(
        folder=report.submitted.folder.name, what=what, learners=learners
    )


def _with_description(svg: str, title: str, words: str) -> str:
    """The drawing with a title and a description that screen readers say."""
    labels = f"<title>{html.escape(title)}</title><desc>{html.escape(words)}</desc>"
    return re.sub(r"<svg\b[^>]*>", lambda tag: f'{tag[0][:-1]} role="img">{labels}', svg, count=1)
