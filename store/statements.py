"""Statements by name, from the `.sql` file that lies beside the module that runs them.

Each stands under a line `-- name: its_name`, followed by a comment that says what it does. Columns that
several statements of a file read are listed once, under a line `-- columns: thing`, and `{thing}` stands for
them. Those that statements of several files read are listed in `columns.sql`, beside this module.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

_PART = re.compile(r"^-- (name|columns): (\w+)\s*$", re.MULTILINE)
_COMMON = Path(__file__).with_name("columns.sql")


def statements_of(module: str) -> Callable[[str], str]:
    """The statements of a module, whose `__file__` goes in: gives the SQL of a name, or raises KeyError."""
    file = Path(module).with_suffix(".sql")
    return lambda name: read(file)[name]


@cache
def read(file: Path) -> dict[str, str]:
    """The statements of a file by name."""
    common, found = _parts(_COMMON)["columns"], _parts(file)
    return {name: _with_columns(text, found["columns"] | common) for name, text in found["name"].items()}


def _parts(file: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"name": {}, "columns": {}}
    _, *parts = _PART.split(file.read_text(encoding="utf-8"))
    for kind, name, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        found[kind][name] = text.strip()
    return found


def _with_columns(text: str, columns: dict[str, str]) -> str:
    for name, listed in columns.items():
        text = text.replace(f"{{{name}}}", listed)
    return text
