"""What a change to a schema means for those who hold on to the released one.

Two things add: a new field that may be absent, and another wording. All else breaks a reader or a publisher:
what is bounded more tightly refuses records that are in the log, what is bounded more loosely surprises a
reader that relies on the bound. So whatever is not known to add is taken to break. Why no library decides it:
docs/adr/0024.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, cast

from schemas.contract.json_schemas import Json

_WORDS = frozenset({"$id", "$schema", "$defs", "title", "description", "examples", "$comment"})
"""Keywords that change no document's validity and no reader's defaults."""


class Change(NamedTuple):
    """A difference between two schemas, and where."""

    kind: Literal["additive", "breaking"]
    at: str
    what: str


def changes(old: Json, new: Json) -> Iterator[Change]:
    """All that makes a schema another one, beside its words."""
    yield from _compare(_resolved(old, old), _resolved(new, new), "$")


def _resolved(node: Any, root: Json) -> Any:  # noqa: ANN401 - a schema, or what stands in one
    """The schema with what its references stand for, and without words."""
    if isinstance(node, list):
        return [_resolved(one, root) for one in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    schema = cast("Json", node)
    found = {
        name: {field: _resolved(one, root) for field, one in value.items()}
        if name == "properties"
        else _resolved(value, root)
        for name, value in schema.items()
        if name not in _WORDS and name != "$ref"
    }
    if reference := schema.get("$ref"):
        return _resolved(root["$defs"][reference.removeprefix("#/$defs/")], root) | found
    return found


def _compare(old: object, new: object, at: str) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = cast("Json", old), cast("Json", new)
        for name in sorted(before.keys() | after.keys()):
            yield from _of_keyword(name, before, after, at)
    elif old != new:
        yield Change("breaking", at, f"was {old!r}, is {new!r}")


def _of_keyword(name: str, before: Json, after: Json, at: str) -> Iterator[Change]:
    match name:
        case "properties":
            yield from _fields(before, after, at)
        case "required":
            yield from _required(before, after, at)
        case "items" if name in before and name in after:
            yield from _compare(before[name], after[name], f"{at}[]")
        case "anyOf" if len(before.get(name, ())) == len(after.get(name, ())):
            for one, other in zip(before[name], after[name], strict=True):
                yield from _compare(one, other, at)
        case _:
            yield from _bound(name, before, after, at)


def _fields(before: Json, after: Json, at: str) -> Iterator[Change]:
    fields, others = before.get("properties", {}), after.get("properties", {})
    for name in fields.keys() - others.keys():
        yield Change("breaking", f"{at}.{name}", "the field is gone")
    for name in others.keys() - fields.keys():
        if name not in after.get("required", ()):
            yield Change("additive", f"{at}.{name}", "a new field, which may be absent")
    for name in fields.keys() & others.keys():
        yield from _compare(fields[name], others[name], f"{at}.{name}")


def _required(before: Json, after: Json, at: str) -> Iterator[Change]:
    needed, others = set(before.get("required", ())), set(after.get("required", ()))
    for name in sorted(others - needed):
        yield Change("breaking", f"{at}.{name}", "the field must be there, and had not to")
    for name in sorted(needed - others):
        yield Change("breaking", f"{at}.{name}", "the field may be absent, and always was there")


def _bound(name: str, before: Json, after: Json, at: str) -> Iterator[Change]:
    if name not in before:
        yield Change("breaking", at, f"{name} is {after[name]!r}, and was not there")
    elif name not in after:
        yield Change("breaking", at, f"{name} is gone, and was {before[name]!r}")
    elif before[name] != after[name]:
        yield Change("breaking", at, f"{name} is {after[name]!r}, and was {before[name]!r}")
