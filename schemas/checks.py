"""What a type can't say of an event, and a table can't bear: checked once, where a record is read."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.inspect import DateTimeType, DateType, Metadata, StructType, Type, UnionType, VarTupleType

from schemas.events import Event, PracticeDayListed, SessionDetailFetched
from schemas.zones import is_zone

FIRST_YEAR = 1990
"""Before any timing service kept practice days."""

LAST_YEAR = 2100
"""The last year of any date or moment, far from the ends of the calendar, which a database calls infinite."""


def fault_of(event: Event) -> str | None:
    """What is wrong with an event of the right types; None when nothing is."""
    if fault := _year_fault(event):
        return fault
    if isinstance(event, SessionDetailFetched):
        return _lap_fault(event)
    if isinstance(event, PracticeDayListed) and event.time_zone is not None and not is_zone(event.time_zone):
        return f"time_zone {event.time_zone!r} is no IANA zone"
    return None


def is_possible(moment: dt.date) -> bool:
    """Whether a date or a moment lies in the years that events may speak of."""
    return FIRST_YEAR <= moment.year <= LAST_YEAR


def _year_fault(event: Event) -> str | None:
    """A date or a moment outside the possible years: of the event itself, or of a row or lap in it."""
    own, parts = _dated(type(event))
    fault = _fault_in(event, own)
    for name, fields in parts:
        for part in getattr(event, name):
            fault = fault or _fault_in(part, fields)
    return fault


def _fault_in(value: Struct, fields: tuple[str, ...]) -> str | None:
    for name in fields:
        moment: dt.date | None = getattr(value, name)
        if moment is not None and not is_possible(moment):
            return f"{name} {moment} lies outside the years {FIRST_YEAR} to {LAST_YEAR}"
    return None


class _Dated(NamedTuple):
    """The fields of a struct that hold a date or a moment; and those of the structs in its tuples."""

    own: tuple[str, ...]
    parts: tuple[tuple[str, tuple[str, ...]], ...]


@cache
def _dated(kind: type[Struct]) -> _Dated:
    own: list[str] = []
    parts: list[tuple[str, tuple[str, ...]]] = []
    info = msgspec.inspect.type_info(kind)
    for field in info.fields if isinstance(info, StructType) else ():
        for one in _alternatives(field.type):
            if isinstance(one, DateType | DateTimeType):
                own.append(field.name)
            elif isinstance(one, VarTupleType) and isinstance(one.item_type, StructType):
                parts.append((field.name, _dated(one.item_type.cls).own))
    return _Dated(tuple(own), tuple(part for part in parts if part[1]))


def _alternatives(kind: Type) -> Iterator[Type]:
    """The types that a field may have, without what is said of them."""
    if isinstance(kind, Metadata):
        yield from _alternatives(kind.type)
    elif isinstance(kind, UnionType):
        for one in kind.types:
            yield from _alternatives(one)
    else:
        yield kind


def _lap_fault(event: SessionDetailFetched) -> str | None:
    if len({lap.lap_number for lap in event.laps}) == len(event.laps):
        return None
    twice, _ = Counter(lap.lap_number for lap in event.laps).most_common(1)[0]
    return f"lap {twice} of session {event.session_id} stands there more than once"
