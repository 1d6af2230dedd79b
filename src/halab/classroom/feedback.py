"""Feedback for learners: one page each, with their points by check, in their language; to be sent to them.

Nothing that a learner wrote and no hidden test is on it: titles of checks, points, what was missed, comments.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from halab.classroom.class_grading import ClassReport, Result
from halab.course.catalogue import entry
from halab.errors import CourseError
from halab.folders import read_plain, write_atomically
from halab.tables import text_table
from halab.translation import Language, gettext, gettext_noop, html_lang, language, languages, speaking

__all__ = ["feedback_text", "read_feedback", "write_feedback"]

_MOST = 5_000_000  # bytes
_DATA = re.compile(r'<script type="application/json" id="feedback">(.*?)</script>', re.DOTALL)
_HEADINGS = (
    gettext_noop("Task"),
    gettext_noop("Check"),
    gettext_noop("Points"),
    gettext_noop("What is missing"),
)
_STYLE = """body{max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1c2430;
font:1rem/1.5 system-ui,"Noto Sans CJK SC",sans-serif}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{padding:.3rem .6rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #c5ccd3}
td:nth-child(3){white-space:nowrap}"""


def write_feedback(report: ClassReport, out: Path, learns_in: Mapping[str, Language]) -> Path:
    """Write `feedback-<learner>.html` for everybody who handed in, into a folder in `out`. Returns it.

    `learns_in` is each learner's language, English where it is not known.
    """
    folder = out / "for-learners"
    folder.mkdir(parents=True, exist_ok=True)
    for learner in report.submitted.learners:
        results = [result for result in report.results if result.learner == learner]
        if results:
            with speaking(learns_in.get(learner, "en")):
                data = _data(report.submitted.label(learner), results)
                write_atomically(folder / f"feedback-{learner}.html", _page(data).encode())
    return folder


def read_feedback(file: Path) -> dict[str, Any]:
    """What a feedback page says. Raises CourseError if it is none."""
    try:
        match = _DATA.search(read_plain(file, _MOST).decode())
        data = json.loads(match[1]) if match else None
        if not isinstance(data, dict) or not {"learner", "language", "exercises"} <= data.keys():
            raise ValueError
        return data
    except OSError as error:
        raise CourseError(
            gettext("{file} cannot be read: {why}.").format(file=file, why=error.strerror)
        ) from None
    except (ValueError, RecursionError):
        raise CourseError(
            gettext("{name} is no feedback of this course.").format(name=file.name),
            hint=gettext("It is called feedback-….html."),
        ) from None


def feedback_text(data: dict[str, Any]) -> str:
    """The page as plain text, in its own language."""
    with speaking(data["language"] if data["language"] in languages() else "en"):
        parts = [_title(data)]
        for exercise in data["exercises"]:
            heading, rows = _heading(exercise), _rows(exercise)
            parts.append(
                text_table(heading, tuple(map(gettext, _HEADINGS)), rows, align="left") if rows else heading
            )
            parts += [
                sentence for sentence in (exercise.get("late"), *exercise.get("comments", ())) if sentence
            ]
    return _printable("\n\n".join(parts))


def _data(label: str, results: list[Result]) -> dict[str, Any]:
    return {
        "learner": label,
        "language": language(),
        "exercises": [
            {
                "title": f"{result.assignment[:2]} {entry(int(result.assignment[:2])).title}",
                "points": result.points,
                "out_of": result.out_of,
                "reason": result.reason,
                "late": _late(result),
                "comments": [
                    gettext("Comment on {task}: {comment}").format(task=task, comment=comment)
                    for task, comment in result.comments
                ],
                "checks": [
                    {
                        "task": check.task,
                        "title": check.title_in(language()),
                        "points": check.points,
                        "out_of": check.out_of,
                        "missing": check.behaviour,
                    }
                    for check in result.checks
                ],
            }
            for result in results
        ],
    }


def _late(result: Result) -> str:
    """What late work lost, or ""."""
    taken = gettext("It came late: {points:g} points were taken off.").format(points=result.penalty)
    return taken if result.penalty else ""


def _title(data: dict[str, Any]) -> str:
    return gettext("Feedback: {learner}").format(learner=data["learner"])


def _page(data: dict[str, Any]) -> str:
    title = html.escape(_title(data))
    embedded = json.dumps(data, ensure_ascii=True, sort_keys=True).replace("<", "\\u003c")
    body = "".join(map(_section, data["exercises"]))
    after = gettext(
        "Change the answer, run the cells below it, and hand in again. Stuck? `halab hint` helps."
    )
    return (
        f'<!doctype html>\n<html lang="{html_lang(language())}">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src '
        "'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}"
        f"<p>{html.escape(after)}</p>\n"
        f'<script type="application/json" id="feedback">{embedded}</script>\n</body>\n</html>\n'
    )


def _section(exercise: dict[str, Any]) -> str:
    heading = f"<h2>{html.escape(_heading(exercise))}</h2>\n"
    for sentence in filter(None, (exercise["reason"], exercise["late"], *exercise["comments"])):
        heading += f"<p>{html.escape(sentence)}</p>\n"
    if not exercise["checks"]:
        return heading
    head = "".join(f'<th scope="col">{html.escape(gettext(column))}</th>' for column in _HEADINGS)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n"
        for row in _rows(exercise)
    )
    return f"{heading}<table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table>\n"


def _rows(exercise: dict[str, Any]) -> list[tuple[str, ...]]:
    """A row a check, under _HEADINGS."""
    return [
        (check["task"], f"{_mark(check)} {check['title']}", _points(check), check["missing"])
        for check in exercise["checks"]
    ]


def _heading(exercise: dict[str, Any]) -> str:
    if exercise["points"] is None:
        standing = gettext("Not graded yet")
    elif not exercise["checks"]:
        standing = gettext("It could not be graded")
    else:
        standing = _points(exercise)
    return gettext("{name}: {said}").format(name=exercise["title"], said=standing)


def _points(counted: dict[str, Any]) -> str:
    return gettext("{points:g} of {out_of:g}").format(points=counted["points"], out_of=counted["out_of"])


def _mark(check: dict[str, Any]) -> str:
    return "✓" if check["points"] == check["out_of"] else "✗"


def _printable(text: str) -> str:
    """Without what could steer the terminal: the file comes from somebody else."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
