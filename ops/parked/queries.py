"""Parked records, looked at and settled.

A record is settled once: redriven (the code as it is now applied it), fixed (a new record of its topic took
its place) or discarded. It is kept all the same: a rebuild meets the bad record again, and must know what was
decided.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from schemas import fields as f
from schemas.headers import Headers
from schemas.records import HeldRecord
from store.parking import decoded_headers, storable
from store.pool import Connection, Record, rows_changed
from store.statements import statements_of

statement = statements_of(__file__)


class ParkedState(StrEnum):
    """What became of a parked record."""

    parked = "parked"
    redriven = "redriven"
    fixed = "fixed"
    discarded = "discarded"


class Key(NamedTuple):
    """Which record, as which group met it."""

    group: str
    topic: str
    partition: int
    offset: int


class RecordPlace(NamedTuple):
    """Where a record is."""

    topic: Annotated[str, Meta(pattern=f.NO_NUL)]
    partition: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    offset: Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Head(Struct, frozen=True, kw_only=True):
    """What is short of a parked record."""

    group: str
    topic: str
    partition: int
    offset: int
    state: ParkedState
    code: str
    reason: str
    source: str | None
    parked_at: dt.datetime

    @property
    def at(self) -> Key:
        """Its place, and the group that parked it."""
        return Key(self.group, *self.place)

    @property
    def place(self) -> RecordPlace:
        """Its place, which is the same for each group that parked it."""
        return RecordPlace(self.topic, self.partition, self.offset)


class Parked(Head, frozen=True, kw_only=True):
    """All of a parked record: as it came, why it is here, and what became of it.

    Where its bytes were pruned, `key` and `value` are None, and `sha256` has the digests of both.
    """

    key: bytes | None
    value: bytes | None
    headers: Headers
    time: dt.datetime | None
    settled_at: dt.datetime | None
    settled_by: str | None
    discard_reason: str | None
    new: RecordPlace | None
    sha256: str | None = None

    @property
    def known_by(self) -> tuple[object, ...]:
        """What tells it from another record at its place, whether or not its bytes were pruned."""
        digests = (
            "" if data is None else hashlib.sha256(data).hexdigest() for data in (self.key, self.value)
        )
        return self.headers, self.time, self.sha256 or "/".join(digests)

    @property
    def record(self) -> HeldRecord:
        """The record, as a client hands it out."""
        milliseconds = -1 if self.time is None else int(self.time.timestamp() * 1000)
        return HeldRecord(
            self.topic, self.partition, self.offset, milliseconds, self.key, self.value, self.headers
        )


class Count(Struct, frozen=True, kw_only=True):
    """How many records met the same fate for the same kind of fault, and in which groups."""

    state: ParkedState
    code: str
    records: int
    groups: list[str]
    first_parked_at: dt.datetime
    last_parked_at: dt.datetime


class Selection(Struct, frozen=True, kw_only=True):
    """Which parked records: by group, kind of fault, time, state, place, source and topic; None takes all."""

    group: str | None = None
    code: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    state: ParkedState | None = ParkedState.parked
    place: RecordPlace | None = None
    source: str | None = None
    topic: str | None = None

    @property
    def arguments(self) -> tuple[object, ...]:
        """As the statements take them."""
        return (
            self.group,
            self.code,
            self.since,
            self.until,
            self.state,
            *(self.place or (None, None, None)),
            self.source,
            self.topic,
        )


async def count(connection: Connection, selection: Selection) -> tuple[int, list[Count]]:
    """How many records a selection holds, however many groups parked each; and by state and kind of fault."""
    *rows, total = await connection.fetch(statement("count_parked"), *selection.arguments)
    return total["records"], [msgspec.convert(dict(row), Count) for row in rows]


async def find(
    connection: Connection,
    selection: Selection,
    *,
    limit: int | None = None,
    skip: int = 0,
    after: RecordPlace | None = None,
) -> list[Head]:
    """A selection's records in the order of their places: all, or of `limit` places after the first `skip`.

    With `after`, those behind this place count only. A record that several groups parked is there for each of
    them, one after the other.
    """
    place = after or (None, None, None)
    rows = await connection.fetch(statement("find_parked"), *selection.arguments, limit, skip, *place)
    return [msgspec.convert(dict(row), Head) for row in rows]


def by_place(heads: Iterable[Head]) -> Iterator[tuple[RecordPlace, list[Head]]]:
    """Records as `find` gives them, each once, with what each of the groups that parked it found."""
    for place, ones in groupby(heads, lambda one: one.place):
        yield place, list(ones)


async def reasons(
    connection: Connection, group: str, records: Sequence[RecordPlace]
) -> dict[RecordPlace, str]:
    """Which of these records the group has parked, with the reason for each."""
    rows = await connection.fetch(statement("parked_reasons"), group, *_transposed(records, 3))
    return {RecordPlace(row["topic"], row["partition"], row["record_offset"]): row["reason"] for row in rows}


async def read(connection: Connection, keys: Sequence[Key]) -> list[Parked]:
    """Whole records, those that are there."""
    return [_whole(row) for row in await connection.fetch(statement("read_parked"), *_columns(keys))]


async def lock(connection: Connection, keys: Sequence[Key]) -> list[Parked]:
    """Those of these records that are still parked, held until the caller's transaction ends."""
    return [_whole(row) for row in await connection.fetch(statement("lock_parked"), *_columns(keys))]


async def read_copies(connection: Connection, place: RecordPlace) -> list[Parked]:
    """What any group has parked of the record at this place."""
    return await read(connection, await _copies(connection, place))


async def lock_copies(connection: Connection, place: RecordPlace) -> list[Parked]:
    """What any group has parked of it and not settled, held until the caller's transaction ends."""
    return await lock(connection, await _copies(connection, place))


async def _copies(connection: Connection, place: RecordPlace) -> list[Key]:
    groups = await connection.fetch(statement("groups_that_parked"), *place)
    return [Key(row["group_name"], *place) for row in groups]


async def redriven(connection: Connection, keys: Mapping[Key, RecordPlace | None], by: str) -> None:
    """Note that the code as it is now took these records, or that they went back into their queue."""
    await _settle(connection, keys, ParkedState.redriven, by)


async def fixed(connection: Connection, keys: Sequence[Key], new: RecordPlace, by: str) -> None:
    """Note the new record that took a bad one's place, for each group that had parked it."""
    await _settle(connection, dict.fromkeys(keys, new), ParkedState.fixed, by)


async def discarded(connection: Connection, keys: Sequence[Key], reason: str, by: str) -> int:
    """Note that nothing will be done about these records, and why; returns how many were still parked."""
    return await _settle(connection, dict.fromkeys(keys), ParkedState.discarded, by, storable(reason))


async def _settle(
    connection: Connection,
    keys: Mapping[Key, RecordPlace | None],
    state: ParkedState,
    by: str,
    reason: str | None = None,
) -> int:
    places = [new or (None, None, None) for new in keys.values()]
    return await rows_changed(
        connection,
        statement("settle_parked"),
        *(*_columns(list(keys)), state, by, reason, *_transposed(places, 3)),
    )


async def explain(connection: Connection, faults: Mapping[Key, tuple[str, str]]) -> None:
    """Keep these records parked, each for a newer code and reason."""
    reasons = [(code, storable(reason)) for code, reason in faults.values()]
    await connection.execute(statement("explain_parked"), *_columns(list(faults)), *_transposed(reasons, 2))


def _columns(keys: Sequence[Key]) -> list[list[object]]:
    return _transposed(keys, len(Key._fields))


def _transposed(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """The rows as so many columns, also where there is no row."""
    return [[row[column] for row in rows] for column in range(width)]


def _whole(row: Record) -> Parked:
    values = dict(row)
    new = values.pop("new_topic"), values.pop("new_partition"), values.pop("new_offset")
    values["headers"] = decoded_headers(values.pop("record_headers"))
    values["new"] = None if None in new else new
    return msgspec.convert(values, Parked)
