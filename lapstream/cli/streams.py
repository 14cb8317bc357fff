"""Standard input, output and error of this process, in whatever state it was given them.

What can't be written to standard output ends the command with one line. What can't be written to standard
error is dropped: there is nobody left to be told.
"""

import errno
import io
import os
import sys
from typing import BinaryIO, TextIO, TypeVar

from schemas.errors import LapstreamError

READER_GONE = 141
"""The exit code where the reader of standard output went away, as shells have it for SIGPIPE."""

INPUT, OUTPUT, ERRORS = 0, 1, 2

WrapperT = TypeVar("WrapperT", bound=io.TextIOWrapper)


class OutputLost(LapstreamError):
    """Standard output can't be written; where its reader closed the pipe, no message is printed."""

    def __init__(self, cause: OSError) -> None:
        reason = "it is closed" if cause.errno == errno.EBADF else os.strerror(cause.errno or 0)
        super().__init__(f"standard output can't be written: {reason}")
        self.reader_gone = isinstance(cause, BrokenPipeError)
        if self.reader_gone:
            self.exit_code = READER_GONE


class _Output(io.TextIOWrapper):
    """Standard output, whose errors are told apart from those of other files."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise OutputLost(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise OutputLost(error) from error


class _Errors(io.TextIOWrapper):
    """Standard error, which takes everything."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError:
            discard(ERRORS)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            discard(ERRORS)


def prepare() -> None:
    """Make the three streams such that nothing written to them is an error by surprise.

    One that was closed is opened, so that no other file takes its number: input is empty then, errors are
    dropped, and output can't be written.
    """
    for number, mode in ((INPUT, os.O_RDONLY), (OUTPUT, os.O_RDONLY), (ERRORS, os.O_WRONLY)):
        if not _is_open(number):
            os.open(os.devnull, mode)
    if _stream("stdin") is None:
        sys.stdin = os.fdopen(INPUT, closefd=False)
    sys.stdout = _wrapped(_Output, _stream("stdout"), OUTPUT)
    sys.stderr = _wrapped(_Errors, _stream("stderr"), ERRORS)


def discard(number: int) -> None:
    """Drop what is still to be written to a stream."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _stream(name: str) -> TextIO | None:
    """Python's stream, which is None where the process was given none."""
    return getattr(sys, name)


def _wrapped(kind: type[WrapperT], stream: TextIO | None, number: int) -> WrapperT:
    buffer: BinaryIO = stream.buffer if stream else os.fdopen(number, "wb", closefd=False)
    return kind(
        buffer,
        encoding=stream.encoding if stream else None,
        errors="backslashreplace",
        line_buffering=number == ERRORS or buffer.isatty(),
    )
