"""What commands print: data on stdout, everything for a person's eyes alone on stderr.

What a site or a producer wrote is printed through `clean`, so that it can't move a terminal's cursor.
"""

import sys
from collections.abc import Container, Sequence
from typing import Any

import msgspec
from rich.cells import cell_len
from rich.console import Console
from rich.progress import Progress, ProgressColumn
from rich.table import Table
from rich.text import Text

from ops.secrets import without_secrets
from schemas.terminal import clean, clean_json

_WIDTH = 120
"""Columns where stdout is no terminal: a file or another program has no width of its own."""
ROOMY_WIDTH = 100
"""From so many columns on a table has space between its lines and its words."""
FOLDED_WIDTH = 8
"""A column whose words may be folded is no narrower, unless all that it holds is."""

out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WIDTH)
err = Console(stderr=True, highlight=False, markup=False)


def progress_bar(*columns: ProgressColumn) -> Progress:
    """Progress on stderr, gone when it ends; nothing at all where stderr is no terminal."""
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def print_json(value: Any) -> None:  # noqa: ANN401 - whatever msgspec can encode
    """Print one JSON document on stdout, with nulls where a field is absent, escaped as by `clean_json`."""
    data = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(clean_json(data).decode() + "\n")


class Listing:
    """A table that fits the terminal without cutting anything off.

    Columns in `folded` may be broken over several lines; the others, which hold ids, dates, states and
    numbers, never are. Where these alone are wider than the terminal, so is the table. Cells are printed as
    they are: what others wrote goes through `clean` first.
    """

    def __init__(
        self,
        *headings: str,
        folded: Container[str] = (),
        right: Container[str] = (),
        title: str | None = None,
    ) -> None:
        self._table = Table(
            title=title, title_justify="left", padding=(0, 1 if out.width >= ROOMY_WIDTH else 0)
        )
        for heading in headings:
            self._table.add_column(
                heading,
                no_wrap=heading not in folded,
                overflow="fold",
                justify="right" if heading in right else "left",
            )
        self._widen(headings)

    def add(self, *cells: str) -> None:
        """Add a row."""
        self._table.add_row(*cells)
        self._widen(cells)

    def _widen(self, cells: Sequence[str]) -> None:
        for column, cell in zip(self._table.columns, cells, strict=True):
            needed = cell_len(cell) if column.no_wrap else min(cell_len(cell), FOLDED_WIDTH)
            column.min_width = max(column.min_width or 0, needed)

    def __rich__(self) -> Table:
        """The table, at the width that it needs."""
        columns = self._table.columns
        needed = [column.min_width or 0 for column in columns]
        beside = len(columns) * (sum(self._table.padding[1::2]) + 1) + 1
        if sum(needed) + beside > out.width:
            self._table.width = sum(needed) + beside
            for column, width in zip(columns, needed, strict=True):
                column.width = width
        return self._table


def print_table(table: Listing) -> None:
    """Print a table on stdout."""
    out.print(table, crop=False)


def write_line(data: bytes) -> None:
    """Write a line of data to stdout at once."""
    sys.stdout.write(data.decode() + "\n")
    sys.stdout.flush()


def note(line: str) -> None:
    """Print a line for a person's eyes on stderr; where that is a file, it stays one line."""
    err.print(clean(without_secrets(line)), soft_wrap=True)


def say_error(message: str) -> None:
    """Print one error, in red where the terminal has colours."""
    lines = [clean(line) for line in without_secrets(message).splitlines()]
    err.print(Text("error: ", style="bold red").append("\n".join(lines), style="default"), soft_wrap=True)
