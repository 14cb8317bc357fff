"""What people do about parked records beside redriving: publish a mended one, discard, export."""

import base64
import contextlib
import getpass
import socket
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple

import msgspec

from ops.parked import queries as parked
from ops.parked.queries import Head, Parked, ParkedState, RecordPlace
from ops.parked.redrive import Send
from schemas.admission import admitted
from schemas.contract.problems import unknown_fields
from schemas.envelope import Context, Outgoing, Received, attributes_of, pack, unpack
from schemas.errors import LapstreamError
from schemas.events import EVENT_TYPES
from schemas.headers import BadRecord
from schemas.topics import Topics
from store.faults import said_by
from store.pool import Connection

EXPORTED_AT_ONCE = 20
"""Records that are read in one statement: each may have megabytes."""

SOURCE = "lapstream/cli"
"""The `ce_source` of what people publish by hand."""


class NotParked(LapstreamError):
    """There is no such parked record, or it is settled."""


class BadFix(LapstreamError):
    """The mended event is none, or another than its topic is for."""


class NotWritten(LapstreamError):
    """A file of exported records could not be written."""


def somebody() -> str:
    """Who is at work, as far as the machine knows: `user@host`."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


async def read_copies(connection: Connection, place: RecordPlace, group: str | None = None) -> list[Parked]:
    """One record as each group parked it, or one group; first what is not settled, then the newest.

    Raises `NotParked`.
    """
    copies = await parked.read_copies(connection, place)
    found = [one for one in copies if group in {None, one.group}]
    if not found:
        raise NotParked(
            f"{where(place)}: nothing is parked there{f' by {group}' if group else ''}; "
            "`lapstream parked list --state any` shows what is"
        )
    return sorted(found, key=lambda one: (one.state is ParkedState.parked, one.parked_at), reverse=True)


def where(place: RecordPlace) -> str:
    """A record's place, for people."""
    return "/".join(map(str, place))


class Fix(NamedTuple):
    """A mended event: the bad record's place, the event's bytes, and what its header should have said."""

    place: RecordPlace
    data: bytes
    type_name: str | None = None


async def publish_fixed(
    connection: Connection, sender: AbstractAsyncContextManager[Send], topics: Topics, fix: Fix, by: str
) -> RecordPlace:
    """Publish a mended event as a new record, and mark the bad one fixed by a person; returns the new place.

    All groups that parked the bad record read the new one: each one's copy is marked.
    The event's id is made from its content: done twice, the same event is published twice, and counts once.
    The broker is asked for nothing before the fix is found to be right. Raises `BadFix` and `NotParked`.
    """
    bad = (await read_copies(connection, fix.place))[0]
    record = mended(bad, fix, topics)
    async with sender as send, connection.transaction():
        copies = [one.at for one in await parked.lock_copies(connection, fix.place)]
        if not copies:
            raise NotParked(f"{where(fix.place)}: is {bad.state} already, and stays so")
        new = await send(bad.topic, key=record.key, value=record.value, headers=record.headers)
        await parked.fixed(connection, copies, new, by)
    return new


def mended(bad: Parked, fix: Fix, topics: Topics) -> Outgoing:
    """The record that takes a bad one's place; raises `BadFix`."""
    said = attributes_of(bad.headers, bad.value)
    name = fix.type_name or said.type
    if name not in EVENT_TYPES:
        raise BadFix(
            f"{where(bad.place)}: its header says no type that we know ({name!r}); give one with --type: "
            f"{', '.join(EVENT_TYPES)}"
        )
    received = _read(name, fix.data)
    _check_topic(received, bad.topic, topics)
    context = Context(
        source=SOURCE,
        correlation_id=said.correlation_id,
        causation_id=said.id,
        traceparent=said.traceparent,
    )
    return pack(received.event, context)


def _check_topic(received: Received, topic: str, topics: Topics) -> None:
    """Raise `BadFix` where an event may not stand in the topic of the bad record."""
    event = received.event
    belongs = topics.of(event.type_name)
    if belongs == topics.days and topic in topics.event_log:
        try:
            admitted(event, topic, -1, topics)
        except BadRecord as fault:
            raise BadFix(f"the mended event is still bad: {fault}") from fault
    elif belongs != topic:
        raise BadFix(f"{event.type_name} belongs into {belongs}, and the bad record lies in {topic}")


def _read(type_name: str, data: bytes) -> Received:
    """The event of a file, more strictly than from a topic: an unknown field is a slip of the pen."""
    headers = {"ce_specversion": "1.0", "ce_id": "none", "ce_type": type_name, "ce_source": SOURCE}
    try:
        received = unpack([(name, text.encode()) for name, text in headers.items()], data)
    except BadRecord as fault:
        raise BadFix(f"the mended event is still bad: {fault}") from fault
    if received is None:
        raise BadFix(f"{type_name} is no type of ours")
    for unknown in unknown_fields(type_name, data):
        raise BadFix(f"the mended event has a field that {type_name} has not: {unknown}")
    return received


def export(records: Sequence[Parked]) -> bytes:
    """Records as JSON lines, their bytes in base64."""
    return b"".join(_ENCODER.encode(_line(record)) + b"\n" for record in records)


def _line(record: Parked) -> Mapping[str, object]:
    return msgspec.structs.asdict(record) | {
        "key": _base64(record.key),
        "value": _base64(record.value),
        "headers": [(name, _base64(data)) for name, data in record.headers],
        "new": record.new and record.new._asdict(),
    }


_ENCODER = msgspec.json.Encoder()


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


async def export_to(
    connection: Connection, heads: Sequence[Head], file: Path, *, overwrite: bool, show: Callable[[int], None]
) -> None:
    """Write records to a file, one JSON line each; `show` is told how many more. Raises `NotWritten`."""
    with _writing(file):
        lines = file.open("wb" if overwrite else "xb")
    try:
        for begin in range(0, len(heads), EXPORTED_AT_ONCE):
            chunk = heads[begin : begin + EXPORTED_AT_ONCE]
            records = await parked.read(connection, [head.at for head in chunk])
            with _writing(file):
                lines.write(export(records))
                lines.flush()
            show(len(records))
    finally:
        lines.close()


@contextlib.contextmanager
def _writing(file: Path) -> Generator[None]:
    try:
        yield
    except FileExistsError as error:
        raise NotWritten(f"{file} is there already; --yes writes over it") from error
    except OSError as error:
        raise NotWritten(f"{file} can't be written: {said_by(error)}") from error
