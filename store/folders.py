"""A folder into which one process at a time writes."""

import contextlib
import fcntl
from collections.abc import Generator
from pathlib import Path

from schemas.errors import LapstreamError

LOCK = ".lock"


class FolderHeld(LapstreamError):
    """Another process is writing into a folder."""


@contextlib.contextmanager
def held(folder: Path) -> Generator[None]:
    """Make a folder where it is missing, and keep others out of it until the block or the process ends.

    Raises `FolderHeld`, and OSError where the folder can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderHeld(
                f"{folder}: another export is writing into this folder; wait for its end, or name another one"
            ) from error
        yield
