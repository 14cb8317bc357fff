"""All that is wrong with an event on a line, each with its place: what a reader refuses at its first fault.

The reader itself has the last word: a line without problems is one that it takes.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from schemas.checks import faults_of
from schemas.cloudevents import IN_STRUCTURED_MODE, opened
from schemas.envelope import is_foreign, unpack
from schemas.events import EVENT_TYPES
from schemas.headers import BadRecord, optional, readable, required
from schemas.lines import record_of
from schemas.versions import upcast

MOST = 100
"""How many problems of one event are reported."""

_REQUIRED = ("ce_specversion", "ce_id", "ce_type", "ce_source")
_OPTIONAL = ("ce_correlationid", "ce_causationid", "traceparent")
_QUOTED = re.compile("`([^`]+)`")
_WORDS = {"str": "string", "float": "number", "int": "integer", "bool": "boolean", "datetime": "date-time"}


class Problem(Struct, frozen=True, kw_only=True):
    """What is wrong, where (a JSON path), and what was expected; a warning keeps nobody from reading it."""

    severity: Literal["error", "warning"]
    code: str
    at: str
    message: str


class Checked(Struct, frozen=True, kw_only=True):
    """What a reader makes of a line, and why; `type` where it can be read."""

    verdict: Literal["valid", "invalid", "ignored"]
    type: str | None
    problems: list[Problem]


def checked(line: bytes) -> Checked:
    """A line, held against all that a reader asks of an event."""
    try:
        fields, data, _ = opened(IN_STRUCTURED_MODE, line)
    except BadRecord as fault:
        return Checked(verdict="invalid", type=None, problems=[_error("$", fault)])
    type_name = readable(fields, "ce_type")
    if is_foreign(type_name):
        return Checked(verdict="ignored", type=type_name, problems=[])
    problems = [*_of_attributes(fields), *_of_data(type_name, data)][:MOST]
    if not any(problem.severity == "error" for problem in problems):
        problems += _of_the_reader(line)
    wrong = any(problem.severity == "error" for problem in problems)
    return Checked(verdict="invalid" if wrong else "valid", type=type_name, problems=problems)


def unknown_fields(type_name: str, data: bytes) -> Iterator[str]:
    """Where an event that can be read has fields that its type has not, as JSON paths."""
    for problem in _of_struct(EVENT_TYPES[type_name], msgspec.json.decode(data), "$"):
        if problem.severity == "warning":
            yield problem.at


def _error(at: str, fault: BadRecord) -> Problem:
    return Problem(severity="error", code=fault.code, at=at, message=fault.reason)


def _of_the_reader(line: bytes) -> Iterator[Problem]:
    """What a reader refuses the event for in either mode."""
    try:
        unpack(IN_STRUCTURED_MODE, line)
        unpack(*record_of(line))
    except BadRecord as fault:
        yield _error("$", fault)


def _of_attributes(fields: Mapping[str, bytes | None]) -> Iterator[Problem]:
    for names, read in ((_REQUIRED, required), (_OPTIONAL, optional)):
        for name in names:
            try:
                read(fields, name)
            except BadRecord as fault:
                what = fault.reason.removeprefix(f"the header {name} ")
                yield Problem(
                    severity="error", code=fault.code, at=f"$.{name.removeprefix('ce_')}", message=what
                )


def _of_data(type_name: str | None, data: bytes | None) -> Iterator[Problem]:
    if data is None:
        yield Problem(severity="error", code="null_value", at="$.data", message="is missing")
        return
    if type_name not in EVENT_TYPES:
        return
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield Problem(severity="error", code="bad_json", at="$.data", message=str(error))
        return
    kind = EVENT_TYPES[type_name]
    found = list(_of_struct(kind, value, "$.data"))
    yield from found
    if not any(problem.severity == "error" for problem in found):
        for fault in faults_of(upcast(msgspec.convert(value, kind))):
            yield _invalid(f"$.data{fault.at.removeprefix('$')}", fault.what)


def _invalid(at: str, message: str) -> Problem:
    return Problem(severity="error", code="invalid_event", at=at, message=message)


def _of_struct(kind: type[Struct], value: Any, at: str) -> Iterator[Problem]:  # noqa: ANN401 - JSON
    if not isinstance(value, dict):
        yield from _of_whole(kind, value, at)
        return
    given, fields = cast("dict[str, Any]", value), _fields(kind)
    for name, field in fields.items():
        if name in given:
            yield from _of_value(field.kind, given[name], f"{at}.{name}")
        elif field.required:
            yield _invalid(f"{at}.{name}", "is missing")
    for name in given.keys() - fields.keys():
        message = "is no field of this type: readers ignore it"
        yield Problem(severity="warning", code="unknown_field", at=f"{at}.{name}", message=message)


def _meant(kind: object) -> str:
    """What a kind of field is, in its own words."""
    inner = [meta.description for meta in get_args(kind)[1:] if isinstance(meta, Meta) and meta.title]
    return next((text for text in inner if text), "") or "; ".join(filter(None, map(_meant, get_args(kind))))


class _Field(NamedTuple):
    kind: Any
    required: bool


@cache
def _fields(kind: type[Struct]) -> dict[str, _Field]:
    hints = get_type_hints(kind, include_extras=True)
    return {one.name: _Field(hints[one.name], one.required) for one in msgspec.structs.fields(kind)}


def _of_value(kind: Any, value: Any, at: str) -> Iterator[Problem]:  # noqa: ANN401 - a type, and JSON
    """What is wrong with a field: with its parts first, and if nothing is, with the whole."""
    found: list[Problem] = []
    for part in _parts(kind):
        if isinstance(value, list) and get_origin(part) is tuple:
            for number, item in enumerate(cast("list[Any]", value)):
                found += _of_value(get_args(part)[0], item, f"{at}[{number}]")
        elif isinstance(value, dict) and _is_struct(part):
            found += _of_struct(part, value, at)
    yield from found
    if not any(problem.severity == "error" for problem in found):
        yield from _of_whole(kind, value, at)


def _of_whole(kind: Any, value: Any, at: str) -> Iterator[Problem]:  # noqa: ANN401 - a type, and JSON
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what = _readable(str(error))
        yield _invalid(at, what if what.startswith("expected") else f"{what}: {_meant(kind)}")


def _parts(kind: Any) -> Iterator[Any]:  # noqa: ANN401 - a type
    """The types that a field may have, without what is said of them."""
    if get_origin(kind) is Annotated:
        yield from _parts(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for one in get_args(kind):
            yield from _parts(one)
    else:
        yield kind


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _readable(message: str) -> str:
    """Msgspec's message without its path, in JSON Schema's words, and with `$` for the end of a pattern."""
    what, _, _ = message.partition(" - at `$")
    named = _QUOTED.sub(
        lambda found: " or ".join(_WORDS.get(one, one) for one in found[1].split(" | ")), what
    )
    return f"{named[:1].lower()}{named[1:]}".replace(r"\\Z'", "$'")
