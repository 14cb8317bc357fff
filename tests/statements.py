"""All statements of the project, by name."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path

from store import statements
from tests.sources import ROOT, modules


@functools.cache
def all_statements() -> Mapping[str, str]:
    """Every statement that lies beside a module; a name stands for one only."""
    found: dict[str, str] = {}
    for file in files():
        read = statements.read(file)
        assert not found.keys() & read.keys(), f"{file} has names of another file"
        found |= read
    return found


def files() -> Iterator[Path]:
    """The files of statements."""
    beside = ((ROOT / name).with_suffix(".sql") for name, _ in modules())
    return (file for file in beside if file.is_file())
