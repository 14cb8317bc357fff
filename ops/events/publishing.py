"""Publishing events from lines: all of them are checked first, then sent as records in binary mode.

Ids, sources and extensions are those of the lines. The key is made from the event, as Lapstream makes its.
"""

import time
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from broker.access import BrokerAccess
from broker.clients import administering, described
from ops.events.lines import NumberedLine
from ops.events.validating import LineReport, validated
from producer.publisher import Sending
from runtime.wiring import producing
from schemas.admission import admitted
from schemas.contract.problems import Problem
from schemas.envelope import Outgoing, unpack
from schemas.errors import LapstreamError
from schemas.events import Event
from schemas.headers import BadRecord
from schemas.identity import event_key
from schemas.lines import record_of
from schemas.topics import Topics

AT_ONCE = 500
"""Records that are on their way at a time."""


class NoSuchTopic(LapstreamError):
    """The broker has no such topic."""


class Plan(Struct, frozen=True, kw_only=True):
    """A record for each line, by its topic; and the lines that have none, for what a reader would refuse."""

    records: list[tuple[str, Outgoing]]
    refused: list[LineReport]


def planned(lines: Iterable[NumberedLine], topics: Topics, topic: str | None) -> Plan:
    """What is to be published, into this topic or each into its type's own."""
    lines = list(lines)
    plan = Plan(records=[], refused=[])
    for (_, text), report in zip(lines, validated(lines), strict=True):
        if report.verdict != "valid":
            plan.refused.append(replace(report, problems=[*report.problems, *_ignored(report)]))
            continue
        event, record = _record(text)
        into = topic or topics.of(event.type_name, event.source)
        if problems := list(_of_topic(event, into, topics)):
            plan.refused.append(replace(report, verdict="invalid", problems=[*report.problems, *problems]))
        else:
            plan.records.append((into, record))
    return plan


def _record(text: bytes) -> tuple[Event, Outgoing]:
    """A valid line's event, and its record."""
    headers, value = record_of(text)
    received = unpack(headers, value)
    if received is None:
        raise ValueError("a valid line is of a type of ours")
    return received.event, Outgoing(key=event_key(received.event).encode(), value=value, headers=headers)


_AT = {"source_not_allowed": "$.data.source", "observed_in_future": "$.data.observed_at"}


def _of_topic(event: Event, topic: str, topics: Topics) -> Iterator[Problem]:
    """For what a reader would refuse an event in this topic, if it is one of the event log's."""
    if topic not in topics.event_log:
        return
    try:
        admitted(event, topic, int(time.time() * 1_000), topics)
    except BadRecord as fault:
        yield Problem(severity="error", code=fault.code, at=_AT[fault.code], message=fault.reason)


def _ignored(report: LineReport) -> list[Problem]:
    """Why an event of another vendor's type is not published."""
    if report.verdict != "ignored":
        return []
    message = f"{report.type} is no type of Lapstream's: readers ignore it"
    return [Problem(severity="error", code="foreign_type", at="$.type", message=message)]


async def publish(broker: BrokerAccess, records: Sequence[tuple[str, Outgoing]]) -> None:
    """Send these records; returns when the broker has all of them. Raises `NoSuchTopic` before the first."""
    async with administering(broker) as admin:
        missing = {topic for topic, _ in records}
        missing -= set(await described(admin, missing))
    if missing:
        names = ", ".join(sorted(missing))
        raise NoSuchTopic(
            f"the broker has no topic {names}, or doesn't show it to this user; nothing was sent"
        )
    async with producing(broker) as producer:
        for begin in range(0, len(records), AT_ONCE):
            chunk = [(topic, record, None) for topic, record in records[begin : begin + AT_ONCE]]
            await Sending(producer, chunk).send()
