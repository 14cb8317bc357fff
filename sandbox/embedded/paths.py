"""What a folder must be like for the servers to run in it.

In: its path. Out: what is wrong with it, before anything is written there.
"""

import os
import unicodedata
from pathlib import Path

LONGEST_BYTES = 800
"""PostgreSQL has 1,023 bytes for a path, and puts some of its own behind its folder's."""


def complaint(folder: Path) -> str | None:
    """Why no server can run in a folder of this name; None where one can."""
    name = os.fsencode(folder)
    if len(name) > LONGEST_BYTES:
        return f"its path has {len(name)} bytes, and may have {LONGEST_BYTES}"
    try:
        text = name.decode()
    except UnicodeDecodeError as error:
        return f"its path is no UTF-8 ({error.reason} at byte {error.start})"
    controls = [character for character in text if unicodedata.category(character) == "Cc"]
    return f"its path holds the control character {controls[0]!r}" if controls else None


def nearest(path: Path) -> Path:
    """The folder itself, or the nearest one above it that exists, as far as this user may see."""
    return next(place for place in (path, *path.parents) if _is_there(place))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def is_writable(folder: Path) -> bool:
    """Whether a folder can be written, or made where there is none yet."""
    there = nearest(folder)
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
