"""JSON Lines from a file or from standard input: each line with its number."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from schemas.errors import LapstreamError

STDIN = "-"


class NotRead(LapstreamError):
    """A file of events can't be read."""


class NumberedLine(NamedTuple):
    """A line that is not empty, and where it stands; the first has the number 1."""

    number: int
    text: bytes


def lines_of(file: Path) -> Iterator[NumberedLine]:
    """The lines of a file, `-` for standard input; raises `NotRead`."""
    try:
        if str(file) == STDIN:
            yield from _numbered(sys.stdin.buffer)
        else:
            with file.open("rb") as opened:
                yield from _numbered(opened)
    except OSError as error:
        raise NotRead(f"{file} can't be read: {error.strerror or error}") from error


def _numbered(lines: Iterator[bytes]) -> Iterator[NumberedLine]:
    for number, line in enumerate(lines, start=1):
        if text := line.strip():
            yield NumberedLine(number, text)
