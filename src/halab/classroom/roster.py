"""The list of a class, `students.csv`: ids and names, as nbgrader imports it and spreadsheets write it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from halab.course.identity import valid_learner
from halab.errors import CourseError
from halab.folders import read_plain_text
from halab.translation import gettext

__all__ = ["ROSTER", "read_roster"]

ROSTER = "students.csv"
"""Where it lies: in the class's folder."""
_MOST = 5_000_000  # bytes


def read_roster(path: Path) -> dict[str, str]:
    """Names by learner id, in the order of the file. A name may be empty.

    The file has a column `id`, and `name`, or `first_name` and `last_name` as nbgrader has them. Raises
    CourseError: which line is not right, and what would be.
    """
    table = csv.DictReader(io.StringIO(text := _text(path)), delimiter=_delimiter(text))
    try:
        return _names(table, path)
    except csv.Error as error:
        problem = gettext("this is no table ({why}).").format(why=error)
        raise _wrong(path, table.line_num + 1, problem) from None


def _names(table: csv.DictReader[str], path: Path) -> dict[str, str]:
    headings = [heading.strip().lower() for heading in table.fieldnames or ()]
    if "id" not in headings:
        raise CourseError(
            gettext("{name} should have a column id, and it has {headings}.").format(
                name=path.name, headings=", ".join(headings)[:200] or gettext("none")
            ),
            hint=gettext("Its first line: id,name"),
        )
    _refuse_doubled(headings, path)
    table.fieldnames = headings
    names: dict[str, str] = {}
    for row in table:
        if not (identity := (row["id"] or "").strip()):
            continue
        try:
            learner = valid_learner(identity)
        except CourseError as error:
            raise _wrong(path, table.line_num, error.message) from None
        if learner in names:
            twice = gettext("{learner} is there a second time.").format(learner=learner)
            raise _wrong(path, table.line_num, twice)
        names[learner] = _name(row)
    return names


def _wrong(path: Path, line: int, problem: str) -> CourseError:
    return CourseError(
        gettext("{name}, line {line}: {problem}").format(name=path.name, line=line, problem=problem)
    )


def _refuse_doubled(headings: list[str], path: Path) -> None:
    """Of two columns with one name the reader would take the last, without a word."""
    for heading in ("id", "name", "first_name", "last_name"):
        columns = [str(column) for column, title in enumerate(headings, start=1) if title == heading]
        if len(columns) > 1:
            raise CourseError(
                gettext("{file} has the column {heading} more than once: columns {columns}.").format(
                    file=path.name, heading=heading, columns=", ".join(columns)
                ),
                hint=gettext("Keep the right one, and give the others another name."),
            )


def _name(row: dict[str, str]) -> str:
    given = row.get("name") or f"{row.get('first_name') or ''} {row.get('last_name') or ''}"
    return "".join(letter for letter in " ".join(given.split()) if letter.isprintable())[:100]


def _text(path: Path) -> str:
    try:
        return read_plain_text(path, _MOST).removeprefix("\ufeff")
    except OSError as error:
        raise CourseError(
            gettext("{file} cannot be read: {why}.").format(file=path.name, why=error.strerror)
        ) from None
    except UnicodeDecodeError:
        raise CourseError(
            gettext("{name} is not in UTF-8.").format(name=path.name),
            hint=gettext('In the spreadsheet, save it as "CSV UTF-8".'),
        ) from None


def _delimiter(text: str) -> str:
    """What divides the columns: a comma, or what spreadsheets take in other countries."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)
