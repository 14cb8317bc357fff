"""Events for topics of the event log: what a reader would refuse there is not published."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from ops.events.lines import NumberedLine
from ops.events.publishing import planned
from ops.parked.mending import BadFix, Fix, mended
from ops.parked.queries import Parked, ParkedState, RecordPlace
from schemas.envelope import Context, pack
from schemas.lines import line_of
from schemas.topics import LogTopic, Topics
from tests.events import fetched

TOPICS = Topics(prefix="t-", log=(LogTopic("practice-days", ("liverc",)), LogTopic("own", ("mylaps",))))


def detail(source: str = "mylaps", **facts: Any) -> Any:
    return msgspec.structs.replace(fetched(1, "1"), source=source, **facts)


def line(event: Any) -> NumberedLine:
    record = pack(event, Context(source="test"))
    return NumberedLine(1, line_of(record.headers, record.value))


def test_an_event_goes_into_the_topic_that_speaks_for_its_source() -> None:
    plan = planned([line(detail()), line(detail("liverc"))], TOPICS, None)
    assert [topic for topic, _ in plan.records] == ["t-own", "t-practice-days"]


@pytest.mark.parametrize(
    ("event", "topic", "code", "at"),
    [
        (detail("liverc"), "t-own", "source_not_allowed", "$.data.source"),
        (detail("orbits"), None, "source_not_allowed", "$.data.source"),
        (
            detail(observed_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=1)),
            "t-own",
            "observed_in_future",
            "$.data.observed_at",
        ),
    ],
)
def test_what_would_be_refused_there_is_not_published(
    event: Any, topic: str | None, code: str, at: str
) -> None:
    plan = planned([line(event)], TOPICS, topic)
    [report] = plan.refused
    assert (plan.records, report.verdict) == ([], "invalid")
    assert [(one.code, one.at) for one in report.problems] == [(code, at)]


def test_a_topic_that_the_setting_does_not_name_is_left_to_its_readers() -> None:
    [(topic, _)] = planned([line(detail("liverc"))], TOPICS, "elsewhere").records
    assert topic == "elsewhere"


def bad(topic: str) -> Parked:
    now = dt.datetime.now(dt.UTC)
    return Parked(
        group="g",
        topic=topic,
        partition=0,
        offset=0,
        state=ParkedState.parked,
        code="x",
        reason="x",
        source=None,
        parked_at=now,
        key=None,
        value=None,
        time=None,
        headers=(("ce_type", b"session_detail.fetched.v2"),),
        settled_at=None,
        settled_by=None,
        discard_reason=None,
        new=None,
    )


def test_a_record_of_another_producers_topic_is_mended_there() -> None:
    data = msgspec.json.encode(detail())
    assert mended(bad("t-own"), Fix(RecordPlace("x", 0, 0), data), TOPICS).value == data
    for topic, told in (
        ("t-practice-days", "source_not_allowed"),
        ("t-pages", "belongs into t-practice-days"),
    ):
        with pytest.raises(BadFix, match=told):
            mended(bad(topic), Fix(RecordPlace("x", 0, 0), data), TOPICS)
