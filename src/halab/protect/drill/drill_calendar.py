"""A calendar of drills as an iCalendar file (RFC 5545), which every calendar program imports."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from halab.errors import DrillError
from halab.models.drill_plan import drill_dates
from halab.translation import gettext

__all__ = ["icalendar", "save_calendar"]

_LONGEST = 75  # octets in a line (RFC 5545, 3.1)


def icalendar(system: str, importance: str, first: date, years: int = 1) -> str:
    """The drills of one system: critical each quarter, important each half-year, ordinary each year.

    Each is a day of its own with a reminder a week before. Raises DrillError for another importance, fewer
    than one year, or a system without a name.
    """
    if not system.strip():
        raise DrillError(
            gettext("a calendar needs the name of what is rehearsed"), hint=gettext("name the system")
        )
    try:
        days = drill_dates(importance, first, years)
    except ValueError as error:
        raise DrillError(str(error), hint=gettext("see card 10 for who rehearses how often")) from None
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//halab//recovery drills//EN", "CALSCALE:GREGORIAN"]
    for day in days:
        lines += _event(system, importance, day)
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) + "\r\n" for line in lines)


def save_calendar(path: str | Path, system: str, importance: str, first: date, years: int = 1) -> Path:
    """Write the calendar to a file. Raises DrillError."""
    path = Path(path)
    path.write_bytes(icalendar(system, importance, first, years).encode())
    return path


def _event(system: str, importance: str, day: date) -> list[str]:
    # The same drill has the same id each time, so that importing twice does not make two.
    title = gettext("Recovery drill: {system} ({importance})").format(
        system=system, importance=gettext(importance)
    )
    reminder = gettext("Recovery drill of {system} in a week").format(system=system)
    uid = hashlib.sha256(f"{system}\0{day}".encode()).hexdigest()[:24]
    return [
        "BEGIN:VEVENT",
        f"UID:{uid}@halab",
        f"DTSTAMP:{datetime.now(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_text(title)}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(reminder)}",
        "TRIGGER:-P7D",
        "END:VALARM",
        "END:VEVENT",
    ]


def _text(words: str) -> str:
    """Escaped as RFC 5545, 3.3.11 asks."""
    for sign in ("\\", ";", ","):
        words = words.replace(sign, "\\" + sign)
    return " ".join(words.split())


def _folded(line: str) -> str:
    """Broken at 75 octets, between characters, each further line begun by a blank."""
    parts, part = [], ""
    for sign in line:
        if len((part + sign).encode()) > _LONGEST:
            parts.append(part)
            part = " "
        part += sign
    return "\r\n".join([*parts, part])
