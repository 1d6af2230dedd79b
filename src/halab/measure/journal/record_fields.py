"""What the fields of a journal's records may be: their types, and bounds beyond which no measurement lies.

The hash chain proves that nobody changed a line by accident. It does not prove that the line makes sense: who
writes a whole chain can write a time as a text. Every reader relies on what is checked here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from halab.translation import gettext

__all__ = ["problem_of"]

_GREATEST_INT = 2**63  # keys of rows are the greatest whole numbers there are
_GREATEST = 1e15  # bytes, seconds, shares
_LONGEST_TEXT = 100_000
_MOST_OPERATIONS, _LONGEST_NAME = 100, 200  # each is drawn as a row with its name
_YEARS = range(1971, 9999)  # what a time zone cannot move beyond the clock


def problem_of(record: type, values: Mapping[str, Any]) -> str:
    """What is wrong with the values that a record was given, naming the field; "" if nothing is.

    `record` is the dataclass that they are for.
    """
    unknown = set(values) - {field.name for field in fields(record)}
    if unknown:
        return gettext("there is no field {field!r}").format(field=sorted(unknown)[0])
    for name, value in values.items():
        for part in _parts(value):
            if problem := _out_of_bounds(part):
                return f"{name}: {problem}"
    try:
        _adapter(record).validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        return gettext("{names}: {problem}, not {found!r}").format(
            names=".".join(map(str, first["loc"])), problem=first["msg"], found=str(first["input"])[:60]
        )
    return _wrong_value(values)


@cache
def _adapter(record: type) -> TypeAdapter[Any]:
    return TypeAdapter(record)


def _parts(value: Any) -> Iterator[Any]:
    """Every number and text in a value."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield key
            yield from _parts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _parts(part)
    else:
        yield value


def _out_of_bounds(value: Any) -> str:
    if isinstance(value, str):
        return (
            gettext("a text of {count:,} letters").format(count=len(value))
            if len(value) > _LONGEST_TEXT
            else ""
        )
    if isinstance(value, int):
        return "" if abs(value) <= _GREATEST_INT else gettext("a number greater than any that is measured")
    if isinstance(value, float):
        return (
            ""
            if math.isfinite(value) and abs(value) <= _GREATEST
            else gettext("{found} is no measured number").format(found=value)
        )
    return ""


# By name of a field, which means the same in every record: what is counted or lasts, and what follows what.
_COUNTED = {
    "number", "acknowledged", "unknown", "failed", "found", "unknown_present", "failed_present", "late",
    "median", "p99", "max", "clock_resolution", "ttl", "cpu",
}  # fmt: skip
_IN_ORDER = (("sent", "done"), ("start", "end"), ("at", "undone_at"))


def _wrong_value(values: Mapping[str, Any]) -> str:
    """What the types do not say: what is divided by is not 0, nothing ends before it began, and so on."""
    for name in sorted(_COUNTED & values.keys()):
        if values[name] < 0:
            return gettext("{name}: cannot be below 0, and is {number}").format(
                name=name, number=values[name]
            )
    for first, last in _IN_ORDER:
        if first in values and values.get(last) is not None and values[last] < values[first]:
            return gettext("{last} is before {first}").format(last=last, first=first)
    if len(values.get("missing", ())) > values.get("acknowledged", 0):
        return gettext("missing: more rows than were acknowledged")
    for name in ("rate", "deadline"):
        if name in values and not values[name] > 0:
            return gettext("{name}: should be more than 0, and is {number}").format(
                name=name, number=values[name]
            )
    names = values.get("operations", ())
    if len(set(names)) < len(names):
        return gettext("operations: two of one name")
    if len(names) > _MOST_OPERATIONS or any(len(name) > _LONGEST_NAME for name in names):
        return gettext("operations: at most {most}, with names of up to {letters} letters").format(
            most=_MOST_OPERATIONS, letters=_LONGEST_NAME
        )
    if "started" in values:
        try:
            year = datetime.fromisoformat(values["started"]).year
        except ValueError:
            return gettext(
                "started: should be a moment such as 2026-11-28T08:00:00+00:00, not {started!r}"
            ).format(started=values["started"])
        if year not in _YEARS:
            return gettext("started: the year {year}").format(year=year)
    return ""
