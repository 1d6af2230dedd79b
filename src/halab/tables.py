"""A table as text for a terminal of 80 columns, and as HTML for a notebook; a sentence as itself."""

from __future__ import annotations

import html
import io
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable

from halab.translation import gettext

__all__ = ["Row", "Sentence", "Table", "Tabular", "html_table", "text_table"]

Row = Sequence[str]


class Sentence(str):
    """Words as a cell's result: shown as they are, without quotes."""

    def __repr__(self) -> str:
        return str(self)


class Tabular(ABC):
    """Something with a title and remarks that is shown as text in a terminal and as HTML in a notebook."""

    title: str
    remarks: tuple[str, ...]

    @abstractmethod
    def headings_and_rows(self) -> tuple[Row, Sequence[Row]]:
        """The headings and the rows, in words."""

    def __repr__(self) -> str:
        return text_table(self.title, *self.headings_and_rows(), self.remarks)

    def _repr_html_(self) -> str:
        return html_table(self.title, *self.headings_and_rows(), self.remarks)


@dataclass(frozen=True, repr=False)
class Table(Tabular):
    """A table whose rows are words already."""

    title: str
    headings: Row
    rows: tuple[Row, ...]
    remarks: tuple[str, ...] = ()

    def headings_and_rows(self) -> tuple[Row, Sequence[Row]]:
        return self.headings, self.rows


_COLUMNS = 80
_LONG_WORD = 16
_SHORT_WORD = 8  # letters; stays whole where a script has no blanks between its words


def text_table(
    heading: str,
    headings: Row,
    rows: Sequence[Row],
    remarks: Sequence[str] = (),
    align: str = "right",
    columns: int = _COLUMNS,
) -> str:
    """Heading, table and remarks, one under the other, `columns` wide at most.

    The heading is in words. The columns' headings are messages, put into the learner's language here.
    `align` is for all columns but the first.
    """
    headings = [gettext(name) for name in headings]
    table = RichTable(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for index, (name, *cells) in enumerate(zip(headings, *rows, strict=True)):
        # Words stay whole; only one that is longer than any word, such as a path, is broken.
        longest = max(len(word) for cell in [name, *cells] for word in cell.split() or [""])
        table.add_column(
            name,
            justify="right" if index and align == "right" else "left",
            min_width=min(longest, _LONG_WORD),
            overflow="fold",
        )
    for row in rows:
        table.add_row(*row)
    screen = Console(
        force_jupyter=False,  # else rich shows it in the notebook by itself, and it stands there twice
        file=io.StringIO(),
        width=columns,
        color_system=None,
        markup=False,
        emoji=False,
        highlight=False,
    )
    screen.print(heading, table, *remarks, sep="\n")
    file = screen.file
    assert isinstance(file, io.StringIO)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def html_table(
    heading: str, headings: Row, rows: Sequence[Row], remarks: Sequence[str] = (), align: str = "right"
) -> str:
    """The same as HTML, escaped; the heading is the table's caption."""
    headings = [gettext(name) for name in headings]
    head = "".join(
        f'<th scope="col" style="{_style(name, align if column else "left")}">{html.escape(name)}</th>'
        for column, name in enumerate(headings)
    )
    body = "".join(
        f'<tr><th scope="row" style="{_style(row[0], "left")}">{html.escape(row[0])}</th>'
        + "".join(f'<td style="{_style(cell, align)}">{html.escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    notes = "".join(f'<p style="margin: 0.4em 0">{html.escape(remark)}</p>' for remark in remarks)
    # In a box of its own: where even the narrowest table is too wide, it scrolls instead of being cut off.
    return (
        '<div style="overflow-x: auto; max-width: 100%; container-type: inline-size">'
        '<table style="font-size: 12px">'
        f'<caption style="text-align: left; font-weight: bold">{html.escape(heading)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{notes}"
    )


def _style(cell: str, align: str) -> str:
    """Tight where the page is narrow, so that a table of results fits; a figure such as 0.00–8.85 stays."""
    figure = cell[-1:].isdigit() and len(cell) <= _LONG_WORD
    wrap = "nowrap" if figure or (len(cell) <= _SHORT_WORD and len(cell.split()) == 1) else "normal"
    padding = "3px clamp(2px, 0.6cqw - 1px, 6px)"
    return f"text-align: {align}; vertical-align: baseline; padding: {padding}; white-space: {wrap}"
