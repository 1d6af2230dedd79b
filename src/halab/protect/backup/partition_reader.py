"""Reading a partition: each row of it, page by page in the order of the keys, counted against the server.

Milvus 2.3 answers a query with each key once. A key that was inserted twice has two rows, which `count(*)`
counts and no query returns; and because the limit of a page is applied before, a page can be short although
more rows follow. So reading ends at an empty page, and what was read is compared with the server's count.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from halab.errors import BackupError
from halab.protect.backup.fields import greatest_row
from halab.protect.backup.manifest import Field
from halab.translation import gettext

__all__ = ["PAGE", "PartitionReader"]

PAGE = 1000
"""Rows read, and written as one row group, at most."""

_PAGE_BYTES = 64 << 20  # what a page of the widest rows that the schema allows may take
_QUERY_LIMIT = 16_384  # rows that Milvus returns to one query at most
_COUNT = "count(*)"
_NAMED = 3  # doubled keys that are named
_COUNTED_AT_ONCE = 250  # keys in one expression, which a VARCHAR key can make long


@dataclass(frozen=True, slots=True)
class _Range:
    """The keys of a page: the first, the last, and how many rows were read."""

    first: Any
    last: Any
    rows: int


@dataclass
class PartitionReader:
    """Reads one partition, or the whole collection if `partition` is empty; always with Strong consistency.

    After `pages` has ended, `doubled` are the rows that Milvus hides behind another of the same key, and
    `doubled_keys` some of those keys.
    """

    client: Any
    name: str
    partition: str
    fields: Sequence[Field]
    dynamic: bool
    page: int = PAGE
    doubled: int = 0
    doubled_keys: list[str] = field(default_factory=list)
    _ranges: list[_Range] = field(default_factory=list)

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """The rows, in the order of their keys. Raises BackupError if the server counts rows that did not
        come.
        """
        before = self.count()
        for page in self._pages():
            self._ranges.append(_Range(page[0][self._key], page[-1][self._key], len(page)))
            yield page
        rows = sum(each.rows for each in self._ranges)
        # Rows may come and go meanwhile: what was there at both ends must have been read.
        expected = min(before, self.count())
        if rows < expected:
            self._find_doubled()
            if rows + self.doubled < expected:
                raise BackupError(
                    gettext('{rows:,} rows of "{name}" were read, and Milvus counts {expected:,}').format(
                        rows=rows, name=self.name, expected=expected
                    ),
                    hint=gettext("were rows deleted meanwhile? Back up again while nothing deletes"),
                )

    def count(self, condition: str = "") -> int:
        """The rows that Milvus counts, doubled ones included."""
        return int(self._query(condition, [_COUNT])[0][_COUNT])

    @property
    def _key(self) -> str:
        return next(each.name for each in self.fields if each.primary)

    def _pages(self) -> Iterator[list[dict[str, Any]]]:
        """Not by pymilvus' query_iterator: on Milvus 2.3 it reads with the collection's own consistency,
        whatever it is told, and with Bounded that missed rows acknowledged just before (measured). A query
        with a limit gives the least keys above the last, because each segment answers with its own least
        ones.
        """
        limit = max(1, min(self.page, _PAGE_BYTES // greatest_row(self.fields, self.dynamic)))
        columns = ["*"] if self.dynamic else [each.name for each in self.fields]
        above = until = ""
        while rows := self._query(_all_of(above, until), columns, limit):
            keys = [row[self._key] for row in rows]
            if any(first >= second for first, second in itertools.pairwise(keys)):
                raise BackupError(
                    gettext(
                        'the rows of "{name}" did not come in the order of their keys: some may be missed'
                    ).format(name=self.name),
                    hint=gettext("this version reads Milvus 2.3; take Milvus' own milvus-backup for others"),
                )
            yield rows
            above = f"{self._key} > {_literal(keys[-1])}"
            if len(rows) < limit and not until:
                behind = self._keys_behind(above)
                if behind == []:
                    return
                until = f"{self._key} <= {_literal(behind[-1])}" if behind else ""

    def _keys_behind(self, above: str) -> list[Any] | None:
        """The keys that follow now; None if they are too many for one query.

        The greatest of them ends the reading: waiting for an empty page would race whoever writes new keys.
        """
        return self._keys(above) if self.count(above) <= _QUERY_LIMIT else None

    def _keys(self, condition: str) -> list[Any]:
        return sorted(row[self._key] for row in self._query(condition, [self._key], _QUERY_LIMIT))

    def _query(
        self, condition: str, columns: Sequence[str], limit: int | None = None
    ) -> list[dict[str, Any]]:
        rows = self.client.query(
            self.name,
            condition,
            list(columns),
            partition_names=[self.partition] if self.partition else None,
            limit=limit,
            consistency_level="Strong",
        )
        return [dict(row) for row in rows]

    def _find_doubled(self) -> None:
        for page in self._ranges:
            first, last = _literal(page.first), _literal(page.last)
            keys = self._keys(f"{self._key} >= {first} and {self._key} <= {last}")
            for start in range(0, len(keys), _COUNTED_AT_ONCE):
                self._count_doubled(keys[start : start + _COUNTED_AT_ONCE])

    def _count_doubled(self, keys: Sequence[Any]) -> None:
        doubled = self._hidden(keys)
        if not doubled:
            return
        self.doubled += doubled
        if len(self.doubled_keys) < _NAMED:
            while len(keys) > 1:
                half = keys[: len(keys) // 2]
                keys = half if self._hidden(half) else keys[len(half) :]
            self.doubled_keys.append(str(keys[0]))

    def _hidden(self, keys: Sequence[Any]) -> int:
        """How many rows of just these keys are hidden behind another."""
        return max(0, self.count(f"{self._key} in {_literal(keys)}") - len(keys))


def _all_of(*conditions: str) -> str:
    return " and ".join(condition for condition in conditions if condition)


def _literal(value: Any) -> str:
    """A key, or a list of them, as Milvus' expressions write it."""
    return json.dumps(value, ensure_ascii=False)
