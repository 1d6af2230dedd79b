"""A learner's data as a small table, under the names by which the learner's code has it."""

from __future__ import annotations

from collections.abc import Mapping

from halab.tables import Table

__all__ = ["data_table"]


def data_table(title: str, records: Mapping[str, Mapping[str, object]], *remarks: str) -> Table:
    """A row a record, under its name; a column a key. Records have the same keys."""
    keys = next(iter(records.values()), {})
    rows = tuple((name, *(_in_words(record[key]) for key in keys)) for name, record in records.items())
    return Table(title, ("", *keys), rows, remarks)


def _in_words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
