"""Exercise 8: what a learner is given: collections, backups of them, and a calendar. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["BackupSet", "Data", "Tables", "Variant"]

Data = dict[str, Any]

Tables = dict[str, list[Data]]


@dataclass(frozen=True, slots=True)
class BackupSet:
    """Backups by name in no order; and by a mistake's moment the name of the right one, or None."""

    backups: dict[str, Data]
    truth: list[tuple[float, str | None]]


@dataclass(frozen=True, slots=True)
class Variant:
    """One learner's exercise. `daily` and `weekly` are how many sons and fathers are kept."""

    tables: Tables
    backup: Data
    backup_set: BackupSet
    backup_times: list[float]
    daily: int
    weekly: int
    cells: list[Data]
    have: list[str]
