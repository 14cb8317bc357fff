"""The statements, by name, read once from the `.sql` files beside this module.

Each stands under a line `-- name: its_name`, followed by a comment that says what it does. Columns that
several statements read are listed once, under a line `-- columns: thing`; `{thing}` stands for them.
"""

import re
from functools import cache
from importlib import resources

_PART = re.compile(r"^-- (name|columns): (\w+)\s*$", re.MULTILINE)


@cache
def _all() -> dict[str, str]:
    found: dict[str, dict[str, str]] = {"name": {}, "columns": {}}
    for file in sorted(resources.files("store").joinpath("sql").iterdir(), key=lambda file: file.name):
        _, *parts = _PART.split(file.read_text(encoding="utf-8"))
        for kind, name, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            found[kind][name] = text.strip()
    return {name: _with_columns(text, found["columns"]) for name, text in found["name"].items()}


def _with_columns(text: str, columns: dict[str, str]) -> str:
    for name, listed in columns.items():
        text = text.replace(f"{{{name}}}", listed)
    return text


def statement(name: str) -> str:
    """The SQL of a statement; raises KeyError for a name that no file has."""
    return _all()[name]


def names() -> list[str]:
    """The names of all statements."""
    return sorted(_all())
