"""What commands print: data on stdout, everything for a person's eyes alone on stderr.

What a site or a producer wrote is printed through `clean`, so that it can't move a terminal's cursor.
"""

import datetime as dt
import sys

import msgspec
from rich.console import Console
from rich.progress import Progress, ProgressColumn, TextColumn
from rich.table import Column
from rich.text import Text

from runtime.secrets import without_secrets
from schemas.terminal import clean, clean_json

_WIDTH = 120
"""Columns where stdout is no terminal: a file or another program has no width of its own."""

out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WIDTH)
err = Console(stderr=True, highlight=False, markup=False)


def progress_bar(*columns: ProgressColumn) -> Progress:
    """Progress on stderr, gone when it ends; nothing at all where stderr is no terminal."""
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def words(template: str) -> TextColumn:
    """A column of `progress_bar` that goes on in another line where the terminal is narrow."""
    return TextColumn(template, table_column=Column())


def print_json(value: object) -> None:
    """Print one JSON document on stdout, with nulls where a field is absent, escaped as by `clean_json`."""
    data = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(clean_json(data).decode() + "\n")


def write_line(data: bytes) -> None:
    """Write a line of data to stdout at once."""
    sys.stdout.write(data.decode() + "\n")
    sys.stdout.flush()


def utc(moment: dt.datetime | None) -> str:
    """A moment to the second; a hyphen for none."""
    return "-" if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"


def note(line: str) -> None:
    """Print a line for a person's eyes on stderr; where that is a file, it stays one line."""
    err.print(clean(without_secrets(line)), soft_wrap=True)


def say_error(message: str) -> None:
    """Print one error, in red where the terminal has colours."""
    lines = [clean(line) for line in without_secrets(message).splitlines()]
    err.print(Text("error: ", style="bold red").append("\n".join(lines), style="default"), soft_wrap=True)
