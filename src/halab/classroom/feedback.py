"""Feedback for learners: one page each, with their points by check, in their language; to be sent to them.

Nothing that a learner wrote and no hidden test is on it: titles of checks, points, what was missed.
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
from halab.translation import Language

__all__ = ["feedback_text", "read_feedback", "write_feedback"]

_MOST = 5_000_000  # bytes
_DATA = re.compile(r'<script type="application/json" id="feedback">(.*?)</script>', re.DOTALL)
_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Feedback",
        "task": "Task",
        "check": "Check",
        "points": "Points",
        "missing": "What is missing",
        "of": "of",
        "refused": "It could not be graded",
        "due": "Not graded yet",
        "next": "Change the answer, run the cells below it, and hand in again. Stuck? `halab hint` helps.",
    },
    "zh": {
        "title": "评分反馈",
        "task": "任务",
        "check": "检查项",
        "points": "得分",
        "missing": "还差什么",
        "of": "/",
        "refused": "没能评分",
        "due": "还没有评分",
        "next": "改好答案，运行答案下面的单元格，再交一次。没有头绪就用 `halab hint` 加任务号。",
    },
}
_STYLE = """body{max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1c2430;
font:1rem/1.5 system-ui,"Noto Sans CJK SC",sans-serif}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{padding:.3rem .6rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #c5ccd3}
td:nth-child(3){white-space:nowrap}"""


def write_feedback(report: ClassReport, out: Path, languages: Mapping[str, Language]) -> Path:
    """Write `feedback-<learner>.html` for everybody who handed in, into a folder in `out`. Returns it.

    `languages` are the learners' own, English where it is not known.
    """
    folder = out / "for-learners"
    folder.mkdir(parents=True, exist_ok=True)
    for learner in report.submitted.learners:
        results = [result for result in report.results if result.learner == learner]
        if results:
            language = languages.get(learner, "en")
            data = _data(report.submitted.label(learner), results, language)
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
        raise CourseError(f"{file} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise CourseError(
            f"{file.name} is no feedback of this course.", hint="It is called feedback-….html."
        ) from None


def feedback_text(data: dict[str, Any]) -> str:
    """The page as plain text."""
    words = _WORDS["zh" if data["language"] == "zh" else "en"]
    headings = (words["task"], words["check"], words["points"], words["missing"])
    parts = [f"{words['title']}: {data['learner']}"]
    for exercise in data["exercises"]:
        heading = _heading(exercise, words)
        rows = [
            (check["task"], f"{_mark(check)} {check['title']}", _points(check, words), check["missing"])
            for check in exercise["checks"]
        ]
        parts.append(text_table(heading, headings, rows, align="left") if rows else heading)
    return _printable("\n\n".join(parts))


def _data(label: str, results: list[Result], language: Language) -> dict[str, Any]:
    return {
        "learner": label,
        "language": language,
        "exercises": [
            {
                "title": f"{result.assignment[:2]} {entry(int(result.assignment[:2])).title.in_(language)}",
                "points": result.points,
                "out_of": result.out_of,
                "reason": result.reason,
                "checks": [
                    {
                        "task": check.task,
                        "title": check.title_in(language),
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


def _page(data: dict[str, Any]) -> str:
    words = _WORDS["zh" if data["language"] == "zh" else "en"]
    title = html.escape(f"{words['title']}: {data['learner']}")
    embedded = json.dumps(data, ensure_ascii=True, sort_keys=True).replace("<", "\\u003c")
    body = "".join(_section(exercise, words) for exercise in data["exercises"])
    lang = "zh-Hans" if data["language"] == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src '
        "'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}"
        f"<p>{html.escape(words['next'])}</p>\n"
        f'<script type="application/json" id="feedback">{embedded}</script>\n</body>\n</html>\n'
    )


def _section(exercise: dict[str, Any], words: dict[str, str]) -> str:
    heading = f"<h2>{html.escape(_heading(exercise, words))}</h2>\n"
    if exercise["reason"]:
        heading += f"<p>{html.escape(exercise['reason'])}</p>\n"
    if not exercise["checks"]:
        return heading
    columns = (words["task"], words["check"], words["points"], words["missing"])
    head = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in columns)
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{html.escape(cell)}</td>"
            for cell in (
                check["task"],
                f"{_mark(check)} {check['title']}",
                _points(check, words),
                check["missing"],
            )
        )
        + "</tr>\n"
        for check in exercise["checks"]
    )
    return f"{heading}<table><thead><tr>{head}</tr></thead><tbody>\n{rows}</tbody></table>\n"


def _heading(exercise: dict[str, Any], words: dict[str, str]) -> str:
    if exercise["points"] is None:
        return f"{exercise['title']}: {words['due']}"
    if not exercise["checks"]:
        return f"{exercise['title']}: {words['refused']}"
    return f"{exercise['title']}: {_points(exercise, words)}"


def _points(counted: dict[str, Any], words: dict[str, str]) -> str:
    return f"{counted['points']:g} {words['of']} {counted['out_of']:g}"


def _mark(check: dict[str, Any]) -> str:
    return "✓" if check["points"] == check["out_of"] else "✗"


def _printable(text: str) -> str:
    """Without what could steer the terminal: the file comes from somebody else."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
