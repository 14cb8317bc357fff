"""Ctrl-C: while a command works it is a KeyboardInterrupt, or what the command makes of it.

Before and after that, and while modules are imported, it ends the process.
"""

import contextlib
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType

from lapstream.cli import leave

INTERRUPTED = 130

Handler = Callable[[int, FrameType | None], object]


@contextlib.contextmanager
def as_exception() -> Generator[None]:
    """For the length of a block Ctrl-C is a KeyboardInterrupt."""
    with _handled_by(signal.default_int_handler, instead_of=leave):
        yield


@contextlib.contextmanager
def importing() -> Generator[None]:
    """For the length of a block Ctrl-C ends the process: not every import lets its exception through."""
    with _handled_by(leave, instead_of=signal.default_int_handler):
        yield


@contextlib.contextmanager
def _handled_by(handler: Handler, *, instead_of: Handler) -> Generator[None]:
    changes = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) is instead_of
    )
    if changes:
        signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        if changes:
            signal.signal(signal.SIGINT, instead_of)
