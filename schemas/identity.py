"""Keys, digests and ids: everything is named by what it is, so that a second sight of it finds the first.

Row ids are UUIDs made from the natural key. Those of a day begin with the day (version 8), so that rows
written together lie together in an index; those that outlive a day are version 5.
"""

import datetime as dt
import hashlib
import uuid
from functools import lru_cache

import msgspec

from schemas.events import (
    EventAsWritten,
    ListedSession,
    ObservationAsWritten,
    PracticeDayListed,
    RecordRefused,
    SessionDetailRequested,
)

_NAMESPACE = uuid.UUID("5b0f5c1e-6d0b-5b7c-9d5e-1a9f6c3f2b11")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ENCODER = msgspec.json.Encoder()


def day_key(source: str, track_slug: str, date: dt.date) -> str:
    """The key of a day's records in `practice-days`: `{source}/{track_slug}/{date}`."""
    return f"{source}/{track_slug}/{date.isoformat()}"


def event_key(event: EventAsWritten) -> str:
    """The key of an event's record: its day, so that a day's events keep their order.

    A request for a session is work, not record: its key is the session. A refused record's is its partition.
    """
    if isinstance(event, RecordRefused):
        return f"{event.topic}/{event.partition}"
    day = day_key(event.source, event.track_slug, event.date)
    return f"{day}/{event.session_id}" if isinstance(event, SessionDetailRequested) else day


def digest(data: bytes) -> str:
    """BLAKE2b-128 in hex: wide enough that no two contents share it by accident."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def event_id(event: EventAsWritten) -> str:
    """The `ce_id`: the same observation, published twice, has the same id."""
    return digest(b"%b\0%b" % (event.type_name.encode(), _ENCODER.encode(event)))


def row_digest(row: ListedSession) -> str:
    """The content digest of one row of a day list."""
    return digest(_ENCODER.encode(row))


def content_digest(event: ObservationAsWritten) -> str:
    """The digest of what a page said, without when it was seen, by which parser, and for which row.

    It is of the version in which it was written, so that no later version of a type changes it.
    """
    if isinstance(event, PracticeDayListed):
        bare: ObservationAsWritten = msgspec.structs.replace(
            event, observed_at=_EPOCH, parser_version=1, page_sha256=None
        )
    else:
        bare = msgspec.structs.replace(
            event, observed_at=_EPOCH, parser_version=1, page_sha256=None, list_row_digest=None
        )
    return digest(_ENCODER.encode(bare))


def as_run_id(correlation_id: str | None) -> uuid.UUID | None:
    """The run that an event belongs to; None where its correlation id is no run's."""
    try:
        return uuid.UUID(correlation_id or "")
    except ValueError:
        return None


def run_id_of(correlation_id: str | None, request_id: str) -> uuid.UUID:
    """The run that a request opens: its correlation id, or one made from the request's own id."""
    return as_run_id(correlation_id) or uuid.uuid5(_NAMESPACE, f"run\0{request_id}")


def source_event_id(track_slug: str, date: dt.date) -> str:
    """The day's id at its source, as the tables hold it: `{slug}-practice-{date}`."""
    return f"{track_slug}-practice-{date.isoformat()}"


def stripped_transponder(transponder_number: str | None) -> str | None:
    """The transponder without white space around it; None where nothing is left."""
    return (transponder_number or "").strip() or None


def source_driver_id(session_id: str, transponder_number: str | None) -> str:
    """Who drove: the transponder, stripped, when there is one; else nobody but this session's driver.

    An "Unknown Driver" with a transponder is that transponder's driver.
    """
    return stripped_transponder(transponder_number) or f"practice_session_{session_id}"


@lru_cache(maxsize=10_000)
def track_id(source: str, track_slug: str) -> uuid.UUID:
    """The row id of a track."""
    return uuid.uuid5(_NAMESPACE, f"track\0{source}\0{track_slug}")


@lru_cache(maxsize=100_000)
def driver_id(source: str, driver: str) -> uuid.UUID:
    """The row id of a driver, by the driver's id at the source."""
    return uuid.uuid5(_NAMESPACE, f"driver\0{source}\0{driver}")


@lru_cache(maxsize=20_000)
def day_row_id(date: dt.date, *natural_key: str) -> uuid.UUID:
    """The row id (UUID version 8) of something that belongs to one day: the day first, then a digest."""
    name = "\0".join(natural_key).encode()
    octets = bytearray(date.toordinal().to_bytes(4, "big"))
    octets += hashlib.blake2b(name, digest_size=12).digest()
    octets[6] = (octets[6] & 0x0F) | 0x80
    octets[8] = (octets[8] & 0x3F) | 0x80
    return uuid.UUID(bytes=bytes(octets))


@lru_cache(maxsize=10_000)
def practice_event_id(source: str, track_slug: str, date: dt.date) -> uuid.UUID:
    """The row id of a practice day."""
    return day_row_id(date, "event", source, track_slug)
