"""Whether a record of the event log may say what it says: by its topic, and by its own time stamp."""

import datetime as dt

import msgspec
import pytest

from schemas.admission import TOLERANCE, admitted
from schemas.envelope import Context, pack
from schemas.events import Event, RecordRefused
from schemas.headers import BadRecord
from schemas.records import HeldRecord, decode
from schemas.topics import LogTopic, Topics
from tests.events import fetched, listed, row, seen

TOPICS = Topics(prefix="t-", log=(LogTopic("practice-days", ("liverc",)), LogTopic("own", ("mylaps",))))
NOW = int(seen(0).timestamp() * 1_000)
SECOND = int(TOLERANCE.total_seconds())


def judged(event: Event, topic: str = "t-practice-days", timestamp: int = NOW) -> str | int:
    """The code for which an event is refused, or how much its topic counts."""
    try:
        return admitted(event, topic, timestamp, TOPICS).authority
    except BadRecord as fault:
        return fault.code


@pytest.mark.parametrize(
    ("source", "topic", "verdict"),
    [
        ("liverc", "t-practice-days", 0),
        ("mylaps", "t-own", 0),
        ("mylaps", "t-practice-days", "source_not_allowed"),
        ("liverc", "t-own", "source_not_allowed"),
        ("mylaps", "own", "source_not_allowed"),
        ("mylaps", "t-nowhere", "source_not_allowed"),
    ],
)
def test_a_topic_speaks_for_its_sources_only(source: str, topic: str, verdict: str | int) -> None:
    assert judged(msgspec.structs.replace(fetched(0, "1"), source=source), topic) == verdict


@pytest.mark.parametrize("event", [fetched(SECOND, "1"), listed(SECOND, row("1"))])
def test_an_observation_is_no_later_than_its_record_but_for_clocks_that_differ(event: Event) -> None:
    assert judged(event) == 0
    assert judged(event, timestamp=NOW - 1) == "observed_in_future"
    assert judged(event, timestamp=-1) == 0  # there is nothing that it could be later than


def test_the_verdict_is_of_the_record_whenever_it_is_read() -> None:
    event = fetched(3_600, "1", page_sha256="a" * 64)
    record = pack(event, Context(source="test"))
    held = HeldRecord("t-practice-days", 0, 7, NOW, record.key, record.value, record.headers)
    for _ in range(2):
        decoded = decode([held], TOPICS)
        [(bad, fault)] = decoded.faults
        assert (decoded.events, bad, fault.code) == ([], held, "observed_in_future")
        assert "3600 s later" in fault.reason


def test_what_speaks_of_no_source_needs_none() -> None:
    refusal = RecordRefused(
        topic="x", partition=0, offset=0, code="x", reason="x", refused_at=dt.datetime.now(dt.UTC)
    )
    assert judged(refusal, "t-own") == 0
