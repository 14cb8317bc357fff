"""msgspec's message about a wrong value, in plain words instead of Python's types."""

import re
from collections.abc import Iterator

_KINDS = {
    "array": "a list",
    "bool": "true or false",
    "date": "a date",
    "float": "a number",
    "int": "a whole number",
    "null": "null",
    "object": "an object",
    "str": "text",
    "uuid": "a UUID",
}
_KIND = re.compile(r"`([a-z |]+)`")
_LENGTH = re.compile(r" of length (>=|<=) (\d+)")
_BOUNDS = {">=": "at least", "<=": "at most"}


def in_words(message: str) -> str:
    """The message without msgspec's names of types, and without the pattern that a text does not match."""
    if not message.startswith("Expected "):
        return message
    expected = message.removeprefix("Expected ").partition(", got ")[0].partition(" matching regex ")
    said = _KIND.sub(lambda found: " or ".join(_kinds(found[1])), expected[0])
    said = _LENGTH.sub(lambda found: f" of {_BOUNDS[found[1]]} {found[2]} characters", said)
    return f"{said} of another form is expected" if expected[1] else f"{said} is expected"


def _kinds(names: str) -> Iterator[str]:
    for name in names.split(" | "):
        yield _KINDS.get(name, name)
