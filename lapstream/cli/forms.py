"""What was found, in the form that was asked for: a table, JSON or CSV."""

import datetime as dt
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from laps.csv_text import csv_lines
from lapstream.cli.output import print_json
from schemas.errors import LapstreamError
from schemas.terminal import clean

RowT = TypeVar("RowT", bound=Struct)


class Form(StrEnum):
    """How something is printed."""

    table = "table"
    json = "json"
    csv = "csv"


class FormsMixed(LapstreamError):
    """JSON and CSV were both asked for."""

    exit_code = 2


def form_of(*, as_json: bool, as_csv: bool) -> Form:
    """The form that was asked for; raises `FormsMixed`."""
    if as_json and as_csv:
        raise FormsMixed("--json and --csv are two forms of the same: give one of them")
    return Form.json if as_json else Form.csv if as_csv else Form.table


def print_rows(
    kind: type[RowT], rows: Sequence[RowT], form: Form, show: Callable[[Sequence[RowT]], None]
) -> None:
    """Print rows: as a table by `show`, as a JSON list, or as CSV, which has a header also without rows."""
    match form:
        case Form.table:
            show(rows)
        case Form.json:
            print_json(rows)
        case Form.csv:
            print_csv(kind, rows)


def print_csv(kind: type[RowT], rows: Iterable[RowT]) -> None:
    """Print rows as CSV, as they come; on a terminal without what it would obey."""
    shown = _cleaned if sys.stdout.isatty() else str
    for line in csv_lines(kind, rows):
        sys.stdout.write(shown(line))


def _cleaned(line: str) -> str:
    return clean(line.removesuffix("\n")) + "\n"


def seconds(value: float | None) -> str:
    """A time in seconds, or a figure in percent, to thousandths; a hyphen for none."""
    return "-" if value is None else f"{value:.3f}"


def clock(moment: dt.datetime | None) -> str:
    """A moment of a day, to the second; a hyphen for none."""
    return "-" if moment is None else f"{moment:%H:%M:%S}"


def text(value: object) -> str:
    """What a cell shows; a hyphen for none."""
    return "-" if value is None else clean(str(value))
