"""Data as it stands in the pages' scripts.

In: lists, mappings and strings. Out: strict JSON as the server writes it, or the literal that a formatter
made of it: no quotes around keys, commas after last items, long ones over several lines.
"""

import json
from collections.abc import Mapping, Sequence

Value = str | int | Sequence["Value"] | Mapping[str, "Value"]

_WIDTH = 80


def served(value: Value) -> str:
    r"""Compact JSON in ASCII, with `\/` for every slash, so that no text can end its script."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/")


def saved(value: Value, indent: str = "") -> str:
    """The same value as a formatter writes it, its later lines indented by `indent` at least."""
    if isinstance(value, str | int) or not value:
        return served(value)
    opening, closing, items = _parts(value, indent + "  ")
    line = f"{opening} {', '.join(items)} {closing}" if opening == "{" else f"[{', '.join(items)}]"
    if len(line) <= _WIDTH and "\n" not in line and not _holds_mappings(value):
        return line
    body = "".join(f"{indent}  {item},\n" for item in items)
    return f"{opening}\n{body}{indent}{closing}"


def quoted(value: Value) -> str:
    """The same value in single quotes, on one line."""
    if isinstance(value, str):
        text = served(value)[1:-1].replace('\\"', '"').replace("'", "\\'")
        return f"'{text}'"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"'{key}' : {quoted(item)}" for key, item in value.items()) + " }"
    if isinstance(value, Sequence):
        return f"[ {', '.join(map(quoted, value))} ]" if value else "[ ]"
    return served(value)


def _parts(value: Sequence[Value] | Mapping[str, Value], indent: str) -> tuple[str, str, list[str]]:
    if isinstance(value, Mapping):
        return "{", "}", [f"{key}: {saved(item, indent)}" for key, item in value.items()]
    return "[", "]", [saved(item, indent) for item in value]


def _holds_mappings(value: Value) -> bool:
    return isinstance(value, Sequence) and any(isinstance(item, Mapping) for item in value)
