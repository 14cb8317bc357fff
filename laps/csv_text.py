"""Rows as CSV, for spreadsheets and programs: a header, commas, quotes where they are needed, line feeds.

The columns are the fields of the rows' struct, in their order. Null is an empty cell, a moment is written by
ISO 8601, a list is joined by `; `. A text that a spreadsheet would run as a formula gets an apostrophe in
front, as OWASP advises (CSV injection); numbers are written as they are, negative ones too.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import cast

from msgspec import Struct

RUN_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that spreadsheets take for a formula, also in its full width."""

_SPECIAL = frozenset(',"\r\n')


def csv_lines(kind: type[Struct], rows: Iterable[Struct]) -> Iterator[str]:
    """The header of a kind of rows, then each row; every line ends with a line feed."""
    yield csv_header(kind)
    yield from csv_rows(kind, rows)


def csv_header(kind: type[Struct]) -> str:
    """The names of the columns."""
    return _line(kind.__struct_fields__)


def csv_rows(kind: type[Struct], rows: Iterable[Struct]) -> Iterator[str]:
    """Each row, without a header."""
    for row in rows:
        yield _line([_cell(getattr(row, field)) for field in kind.__struct_fields__])


def _line(cells: Iterable[str]) -> str:
    return ",".join(cells) + "\n"


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case dt.datetime():
            return value.isoformat()
        case list():
            return _text("; ".join(map(str, cast("list[object]", value))))
        case _:
            return _text(str(value))


def _text(text: str) -> str:
    """A text that is no formula, in quotes where another line or cell could begin in it.

    Python's writer leaves a carriage return unquoted, behind which spreadsheets begin a line.
    """
    text = f"'{text}" if text.startswith(RUN_AS_FORMULA) else text
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.intersection(text) else text
