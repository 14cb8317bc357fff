"""`lapstream events publish` and `tail` on a real broker: what is published is read back as it was."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from ops.events.lines import NumberedLine
from ops.events.publishing import NoSuchTopic, planned, publish
from ops.events.since import END, START
from ops.events.tailing import NoTopic, Shown, Wanted, tail
from runtime.settings import Settings
from schemas.contract.examples import example_lines
from schemas.envelope import unpack
from schemas.lines import record_of
from tests.producers import end, in_transaction, producing

LINES = [NumberedLine(number, line) for number, line in enumerate(example_lines().values(), start=1)]
DETAIL, ENDED = (
    NumberedLine(1, example_lines()[name])
    for name in ("session_detail.fetched.v2", "practice_day.ingested.v1")
)
PLACE = {"kafkatopic", "kafkapartition", "kafkaoffset"}


def with_more(line: bytes, **more: Any) -> NumberedLine:
    """A line with further attributes."""
    return NumberedLine(1, msgspec.json.encode(msgspec.json.decode(line) | more))


async def published(settings: Settings, *lines: NumberedLine, topic: str | None = None) -> None:
    plan = planned(lines, settings.topics, topic)
    assert plan.refused == []
    await publish(settings.broker, plan.records)


def all_topics(settings: Settings) -> list[str]:
    topics = settings.topics
    return [topics.requests, topics.days, topics.details, topics.outcomes, topics.refusals]


async def seen(
    settings: Settings, *, start: dt.datetime = START, topics: list[str] | None = None, **wanted: str
) -> list[Any]:
    """The events that are there now."""
    found: list[Any] = []
    async for shown in tail(
        settings.broker, topics or all_topics(settings), Wanted(**wanted), start, follow=False
    ):
        assert shown.line is not None, shown.fault
        found.append(json.loads(shown.line))
    return found


def without_place(events: list[Any]) -> list[Any]:
    bare = [{name: value for name, value in event.items() if name not in PLACE} for event in events]
    return sorted(bare, key=lambda event: event["id"])


async def test_what_is_published_is_read_back_as_it_was(settings: Settings) -> None:
    extended = with_more(DETAIL.text, id="with more", lane=3, wet=False, subject="a subject")
    await published(settings, *LINES, extended)
    found = await seen(settings)
    expected = [json.loads(line.text) for line in (*LINES, extended)]
    texts = [event | {"lane": "3", "wet": "false"} if "lane" in event else event for event in expected]
    assert without_place(found) == sorted(texts, key=lambda event: event["id"])
    assert {event["kafkatopic"] for event in found} == set(all_topics(settings))


async def test_what_is_read_back_can_be_published_again(settings: Settings) -> None:
    await published(settings, DETAIL)
    [event] = await seen(settings)
    again = NumberedLine(1, msgspec.json.encode(event))
    await published(settings, again)
    first, second = await seen(settings)
    assert without_place([first]) == without_place([second])
    assert unpack(*record_of(again.text)) == unpack(*record_of(DETAIL.text))


async def test_only_what_is_wanted_is_shown(settings: Settings) -> None:
    other = msgspec.json.decode(DETAIL.text)
    other["id"], other["data"]["source"] = "other", "elsewhere"
    await published(settings, *LINES, NumberedLine(9, msgspec.json.encode(other)))
    detail = "session_detail.fetched.v2"
    assert {one["type"] for one in await seen(settings, type=detail)} == {detail}
    assert [one["id"] for one in await seen(settings, source="elsewhere")] == ["other"]
    assert [one["id"] for one in await seen(settings, key="elsewhere/canberraoffroad/2025-10-25")] == [
        "other"
    ]
    assert await seen(settings, key="nowhere/") == []
    assert await seen(settings, start=END) == []
    assert len(await seen(settings, start=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))) == len(LINES) + 1
    assert await seen(settings, start=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)) == []


async def test_a_topic_of_ones_own(settings: Settings) -> None:
    await published(settings, DETAIL, topic=settings.topics.outcomes)
    assert len(await seen(settings, topics=[settings.topics.outcomes])) == 1


async def test_a_topic_that_is_not_there_is_named(settings: Settings) -> None:
    with pytest.raises(NoSuchTopic, match="nowhere"):
        await published(settings, DETAIL, topic="nowhere")
    with pytest.raises(NoTopic, match="no topic nowhere,"):
        await seen(settings, topics=[settings.topics.days, "nowhere"])


async def test_a_record_that_is_no_event_is_named_by_its_place(settings: Settings) -> None:
    async with producing(settings) as producer:
        sent = await producer.send_and_wait(settings.topics.days, value=b"{", key=b"x", partition=0)
    await published(settings, DETAIL)
    shown = [one async for one in tail(settings.broker, all_topics(settings), Wanted(), START, follow=False)]
    [bad] = [one for one in shown if one.line is None]
    assert bad.place == f"{settings.topics.days}/0/{sent.offset}"
    assert bad.fault.startswith("bad_header: ")
    assert len(shown) == 2


async def test_an_aborted_record_is_not_shown_and_holds_up_nothing(settings: Settings) -> None:
    async with in_transaction(settings) as producer:
        await producer.send_and_wait(settings.topics.days, value=b"{", partition=0)
        await end(settings, producer, "abort")
    assert await seen(settings, topics=[settings.topics.days]) == []


async def following(shown: AsyncIterator[Shown]) -> Shown:
    return await anext(shown)


async def test_what_comes_is_followed(settings: Settings) -> None:
    shown = tail(settings.broker, all_topics(settings), Wanted(), START, follow=True)
    coming = asyncio.create_task(following(shown))
    await published(settings, DETAIL)
    assert json.loads((await coming).line or b"")["id"] == json.loads(DETAIL.text)["id"]
    coming = asyncio.create_task(following(shown))
    await published(settings, ENDED)
    assert json.loads((await coming).line or b"")["type"] == "practice_day.ingested.v1"
    await shown.aclose()
