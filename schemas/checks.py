"""What a type can't say of an event, and a table can't bear: checked once, where a record is read."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from functools import cache
from operator import attrgetter
from typing import NamedTuple

import msgspec
from msgspec import Struct
from msgspec.inspect import DateTimeType, DateType, Metadata, StructType, Type, UnionType, VarTupleType

from schemas.events import Event, PracticeDayListed, SessionDetailFetched
from schemas.fields import FIRST_YEAR, LAST_YEAR
from schemas.zones import is_zone


class Fault(NamedTuple):
    """What is wrong with an event of the right types, and where, as a JSON path from the event."""

    at: str
    what: str


def fault_of(event: Event) -> str | None:
    """What is wrong with an event of the right types; None when nothing is."""
    fault = next(faults_of(event), None)
    return fault and fault.what


def faults_of(event: Event) -> Iterator[Fault]:
    """All that is wrong with an event of the right types."""
    yield from _year_faults(event)
    if isinstance(event, SessionDetailFetched):
        yield from _lap_faults(event)
        yield from _range_faults(event)
    if isinstance(event, PracticeDayListed) and event.time_zone is not None and not is_zone(event.time_zone):
        yield Fault("$.time_zone", f"time_zone {event.time_zone!r} is no IANA zone")


def is_possible(moment: dt.date) -> bool:
    """Whether a date or a moment lies in the years that events may speak of."""
    return FIRST_YEAR <= moment.year <= LAST_YEAR


def _year_faults(event: Event) -> Iterator[Fault]:
    """Dates and moments outside the possible years: of the event itself, and of the rows and laps in it."""
    own, parts = _dated(type(event))
    for field in own:
        moment: dt.date | None = getattr(event, field)
        if moment is not None and not is_possible(moment):
            yield _outside(f"$.{field}", field, moment)
    for name, fields in parts:
        for field in fields:
            for number, moment in enumerate(map(attrgetter(field), getattr(event, name))):
                if moment is not None and not FIRST_YEAR <= moment.year <= LAST_YEAR:
                    yield _outside(f"$.{name}[{number}].{field}", field, moment)


def _outside(at: str, field: str, moment: dt.date) -> Fault:
    return Fault(at, f"{field} {moment} lies outside the years {FIRST_YEAR} to {LAST_YEAR}")


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


def _lap_faults(event: SessionDetailFetched) -> Iterator[Fault]:
    if len({lap.lap_number for lap in event.laps}) == len(event.laps):
        return
    counts = Counter(lap.lap_number for lap in event.laps)
    twice, _ = counts.most_common(1)[0]
    [_, second, *_] = [number for number, lap in enumerate(event.laps) if lap.lap_number == twice]
    what = f"lap {twice} of session {event.session_id} stands there more than once"
    yield Fault(f"$.laps[{second}].lap_number", what)


def _range_faults(event: SessionDetailFetched) -> Iterator[Fault]:
    low, high = event.valid_lap_range or (0, 0)
    if low > high:
        yield Fault("$.valid_lap_range", f"valid_lap_range begins at {low} s, after its end at {high} s")
