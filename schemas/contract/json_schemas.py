r"""JSON Schemas (2020-12) of the events, made from the structs in a form that every engine takes.

Patterns are of the common part of ECMA's, Go's (RE2), Rust's and Python's regular expressions: without
look-around and `\Z`. Python takes `$` before a last line break, too: a text that a pattern bounds has none.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from schemas.contract.examples import data_of, example
from schemas.events import EVENT_TYPES

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NO_NUL = r"^[^\x00]*$"
"""A text without the NUL character."""

_FORMATS = frozenset({"date", "date-time"})
"""Formats that validators know; msgspec has another one for a time without an offset."""

_END = re.compile(r"\\Z$")
_PARAGRAPHS = re.compile(r"\n\s*\n")


def identifier(name: str) -> str:
    """The `$id` of a schema, which is also the `dataschema` of an event."""
    return f"urn:lapstream:schema:{name}"


def event_schemas() -> dict[str, Json]:
    """The schema of each event by the name of its type."""
    return {
        name: standing(name, msgspec.json.schema(kind)) | {"examples": [data_of(example(name))]}
        for name, kind in EVENT_TYPES.items()
    }


def components(kinds: Iterable[type[msgspec.Struct]], ref_template: str) -> dict[str, Json]:
    """The schema of each struct and of each struct in it, by their names."""
    _, found = msgspec.json.schema_components(kinds, ref_template=ref_template)
    return {name: portable(schema) for name, schema in found.items()}


def standing(name: str, schema: Json) -> Json:
    """A schema as it stands by itself: with its dialect and its name."""
    return {"$schema": DIALECT, "$id": identifier(name), **portable(schema)}


def portable(node: Any) -> Any:  # noqa: ANN401 - a schema, or what stands in one
    """The schema with patterns that every engine takes, and with its texts in one line a paragraph."""
    if isinstance(node, list | tuple):
        return [portable(one) for one in node]  # pyright: ignore[reportUnknownVariableType] - any schemas
    if not isinstance(node, dict):
        return node
    found: Json = {name: portable(value) for name, value in node.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(text := found.get("description"), str):
        found["description"] = unwrapped(text)
    if found.get("format") not in _FORMATS:
        found.pop("format", None)
    return found | _of_texts(found) if found.get("type") == "string" else found


def unwrapped(text: str) -> str:
    """A docstring with one line a paragraph."""
    paragraphs = _PARAGRAPHS.split(inspect.cleandoc(text))
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _of_texts(schema: Mapping[str, Any]) -> Json:
    """What a schema of texts says in the common syntax."""
    pattern = schema.get("pattern")
    if pattern is None:
        return {} if "enum" in schema or "const" in schema else {"pattern": _NO_NUL}
    if _END.search(pattern):
        return {"pattern": _END.sub("$", pattern), "not": {"type": "string", "pattern": r"\n"}}
    return {} if pattern == _NO_NUL else {"not": {"type": "string", "pattern": r"\n"}}
