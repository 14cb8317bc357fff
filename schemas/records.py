"""From a topic's records to events: what can't be read is set apart with its reason, never dropped."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from schemas.admission import admitted
from schemas.envelope import Received, unpack
from schemas.headers import BadRecord, Headers
from schemas.topics import Topics

EventT = TypeVar("EventT")


class Record(Protocol):
    """A record as the Kafka client hands it out; `timestamp` in milliseconds since 1970."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Iterable[tuple[str, bytes | None]]: ...


class HeldRecord(NamedTuple):
    """A record that was kept elsewhere, in the form in which a client hands one out."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def time_of(timestamp: int) -> dt.datetime | None:
    """A record's time, from milliseconds since 1970; None where there is none, or no calendar has it."""
    try:
        return None if timestamp < 0 else dt.datetime.fromtimestamp(timestamp / 1000, dt.UTC)
    except (OverflowError, ValueError, OSError):
        return None


class Decoded(Struct, Generic[EventT]):
    """A batch's records by what they are: events, faults, and the number of other vendors' events."""

    events: list[EventT]
    faults: list[tuple[Record, BadRecord]]
    ignored: int = 0

    def set_apart(self, record: Record, fault: BadRecord) -> None:
        """Keep a bad record, with its fault as it was made: what was raised holds the batch, in a cycle."""
        self.faults.append((record, BadRecord(fault.code, fault.reason)))


def decode(records: Iterable[Record], topics: Topics) -> Decoded[Received]:
    """Read each record of the event log; see `read_each`."""
    return read_each(records, lambda record: _read(record, topics))


def _read(record: Record, topics: Topics) -> Received | None:
    received = unpack(record.headers, record.value)
    if received is None:
        return None
    standing = admitted(received.event, record.topic, record.timestamp, topics)
    return replace(received, standing=standing)


def read_each(records: Iterable[Record], read: Callable[[Record], EventT | None]) -> Decoded[EventT]:
    """Read each record by itself: a bad one takes none of the others with it.

    `read` returns None for what is ignored, and raises `BadRecord`.
    """
    decoded: Decoded[EventT] = Decoded([], [])
    for record in records:
        try:
            event = read(record)
        except BadRecord as fault:
            decoded.set_apart(record, fault)
            continue
        if event is None:
            decoded.ignored += 1
        else:
            decoded.events.append(event)
    return decoded
