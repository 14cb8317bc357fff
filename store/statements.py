"""The statements, by name, read once from the `.sql` files beside this module.

Each stands under a line `-- name: its_name`, followed by a comment that says what it does.
"""

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def _all() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted(resources.files("store").joinpath("sql").iterdir(), key=lambda file: file.name):
        _, *parts = _NAME.split(file.read_text(encoding="utf-8"))
        found |= dict(zip(parts[::2], (text.strip() for text in parts[1::2]), strict=True))
    return found


def statement(name: str) -> str:
    """The SQL of a statement; raises KeyError for a name that no file has."""
    return _all()[name]
