"""The seats of a class on one page while they work: who is at which card, what passed, who is stuck."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from halab.course.catalogue import entry
from halab.course.identity import valid_learner
from halab.course.seat import SEATS
from halab.errors import CourseError
from halab.folders import read_plain
from halab.grading.preparation import one_line
from halab.translation import gettext, gettext_noop, html_lang, language, ngettext

__all__ = ["Seat", "read_seats", "seat_page"]

STUCK = 600.0
"""Seconds without an event after which a seat is shown as stuck."""
_MOST = 2_000_000  # bytes of a seat's file
_REFRESH = 5  # seconds
_HEADINGS = (
    gettext_noop("Who"),
    gettext_noop("Card"),
    gettext_noop("Cell"),
    gettext_noop("Last"),
    gettext_noop("Minutes ago"),
    gettext_noop("Points"),
    gettext_noop("Calls"),
)
_DONE = {
    "ran a cell": gettext_noop("ran a cell"),
    "predicted": gettext_noop("made a prediction"),
    "measured": gettext_noop("kept a measurement"),
    "graded": gettext_noop("was graded"),
    "raised a hand": gettext_noop("raised a hand"),
    "lowered the hand": gettext_noop("lowered the hand"),
}
"""What seats tell, in words; anything else is another program's, and shown as it stands."""
_STYLE = """body{margin:1.5rem;color:#1c2430;font:1.05rem/1.5 system-ui,"Noto Sans CJK SC",sans-serif}
table{border-collapse:collapse}
th,td{padding:.3rem 1rem .3rem 0;text-align:left;border-bottom:1px solid #c5ccd3}
.call td{font-weight:700;background:#fff0c2}.clock{font-size:2rem}"""


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore")

    time: float = Field(gt=0, lt=2**32)  # seconds since 1970
    did: str
    card: int = Field(default=0, ge=0, le=99)
    place: str = ""
    cell: str = ""
    points: float | None = Field(default=None, ge=0, le=1000)
    out_of: float | None = Field(default=None, ge=0, le=1000)
    name: str = ""


@dataclass(slots=True)
class Seat:
    """A seat by its events: `at` is when the last one was, `points` are by card, (earned, of how many).

    `place` ("course" or "exercises") and `cell` are those of the cell that was run last. `problem` says why
    nothing is known of a seat.
    """

    learner: str
    name: str = ""
    card: int = 0
    place: str = ""
    cell: str = ""
    did: str = ""
    at: float = 0.0
    hand: bool = False
    points: dict[int, tuple[float, float]] = field(default_factory=dict)
    problem: str = ""

    def add(self, event: _Event) -> None:
        self.did, self.at = one_line(event.did, 40), event.time
        self.name = one_line(event.name, 60) or self.name
        self.card = event.card or self.card
        if event.did == "ran a cell":
            self.place, self.cell = event.place, one_line(event.cell, 60)
        if event.did in ("raised a hand", "lowered the hand"):
            self.hand = event.did == "raised a hand"
        if event.points is not None and event.out_of:
            self.points[event.card] = event.points, event.out_of


def read_seats(folder: Path, roster: Mapping[str, str] = MappingProxyType({})) -> list[Seat]:
    """Every seat that told something in a class's folder, and who is on the roster (names by id) and did not.

    A name of the roster counts more than the seat's own. A file that is no learner's is passed over.
    """
    seats = {}
    for file in sorted((folder / SEATS).glob("*.jsonl")):
        with suppress(CourseError):
            seats[valid_learner(file.stem)] = _read_seat(file)
    for learner in roster:
        seats.setdefault(learner, Seat(learner, problem=gettext("nothing yet")))
    for learner, name in roster.items():
        seats[learner].name = name or seats[learner].name
    return list(seats.values())


def _read_seat(file: Path) -> Seat:
    seat = Seat(valid_learner(file.stem))
    try:
        lines = read_plain(file, _MOST).splitlines()
    except OSError:
        seat.problem = gettext("its file cannot be read, or has more than {most:.0f} MB").format(
            most=_MOST / 1e6
        )
        return seat
    for line in lines:
        with suppress(ValidationError):
            seat.add(_Event.model_validate_json(line))
    if not seat.did:
        seat.problem = gettext("its file has no line that can be read")
    return seat


def seat_page(seats: list[Seat], now: float, *, hide_names: bool = False, ends: float | None = None) -> str:
    """The page, which loads itself anew. Who calls or is stuck comes first. `ends` is the timer's."""
    rows = sorted(
        enumerate(seats, 1), key=lambda numbered: (not numbered[1].hand, not _is_stuck(numbered[1], now))
    )
    hidden = gettext("Seat {number}")
    body = "".join(
        _row(hidden.format(number=number) if hide_names else _label(seat), seat, now) for number, seat in rows
    )
    heads = "".join(f'<th scope="col">{gettext(head)}</th>' for head in _HEADINGS)
    clock = "" if ends is None else f'<p class="clock" role="timer">{_clock(ends - now)}</p>'
    title = ngettext("{n} seat", "{n} seats", len(seats)).format(n=len(seats))
    lang = html_lang(language())
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="{_REFRESH}"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>"
        f"<body><h1>{title}</h1>{clock}<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
        "</body></html>"
    )


def _label(seat: Seat) -> str:
    return f"{seat.name} ({seat.learner})" if seat.name and seat.name != seat.learner else seat.learner


def _is_stuck(seat: Seat, now: float) -> bool:
    return not seat.problem and now - seat.at > STUCK


def _row(label: str, seat: Seat, now: float) -> str:
    stuck = gettext("! stuck?") if _is_stuck(seat, now) else ""
    calls = gettext("! hand") if seat.hand else stuck
    points = ", ".join(f"{card:02d}: {earned:g}/{of:g}" for card, (earned, of) in sorted(seat.points.items()))
    ago = "" if seat.problem else f"{max(now - seat.at, 0) / 60:.0f}"
    did = seat.problem or gettext(_DONE.get(seat.did, "")) or seat.did
    cells = (label, f"{seat.card}" if seat.card else "", _cell(seat), did, ago, points, calls)
    kind = ' class="call"' if calls else ""
    return f"<tr{kind}>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>\n"


def _cell(seat: Seat) -> str:
    """The cell that was run last, as "lesson 7 of 31"; a learner's own has no number."""
    if not seat.place:
        return ""
    ids = _code_cells(seat.place, seat.card)
    what = gettext("exercise") if seat.place == "exercises" else gettext("lesson")
    if seat.cell not in ids:
        return gettext("{what}, a cell of their own").format(what=what)
    return gettext("{what} {number} of {all_of}").format(
        what=what, number=ids.index(seat.cell) + 1, all_of=len(ids)
    )


def _code_cells(place: str, card: int) -> tuple[str, ...]:
    """The code cells of a lesson or an exercise as the course has them, in order; () if there is none."""
    try:
        return _ids(entry(card).exercise_path if place == "exercises" else entry(card).lesson_path)
    except (CourseError, LookupError, OSError, ValueError):
        return ()


@cache
def _ids(notebook: Path) -> tuple[str, ...]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return tuple(cell.get("id", "") for cell in cells if cell["cell_type"] == "code")


def _clock(left: float) -> str:
    minutes, seconds = divmod(int(max(left, 0)), 60)
    if left <= 0:
        return gettext("Time is up")
    return gettext("{minutes}:{seconds:02d} left").format(minutes=minutes, seconds=seconds)
