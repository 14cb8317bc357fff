"""`record.refused.v1`: who published a bad record reads where it lies and why it was refused, once."""

import json
from typing import Any

from ops.events.since import START
from ops.events.tailing import Wanted, tail
from runtime.settings import Settings
from schemas.envelope import Context, Outgoing, pack
from schemas.events import PracticeDayRequested, SessionDetailRequested
from store.pool import Pool
from tests.conftest import at, projecting, working
from tests.events import DATE, fetched, laps, seen
from tests.integration.test_rebuild import rebuild
from tests.members import PARTITION, until, until_at
from tests.producers import producing
from tests.topics import grow

PUBLISHER = "https://timing.example/decoder-1"


def record(**facts: Any) -> Outgoing:
    return pack(fetched(1, "1", **facts), Context(source=PUBLISHER))


def bad_records() -> list[Outgoing]:
    """A lap that stands twice, by another timing service; JSON that ends too early; and no event at all."""
    good = record()
    twice = good.value.replace(b'"lap_number":2', b'"lap_number":1').replace(b'"liverc"', b'"elsewhere"')
    return [
        Outgoing(key=good.key, value=twice, headers=good.headers),
        Outgoing(key=good.key, value=good.value[:-1], headers=good.headers),
        Outgoing(key=b"x", value=b"{", headers=()),
    ]


async def publish(settings: Settings, topic: str, records: list[Outgoing]) -> None:
    async with producing(settings) as producer:
        for one in records:
            await producer.send_and_wait(
                topic, key=one.key, value=one.value, headers=list(one.headers), partition=PARTITION
            )


async def refusals(settings: Settings) -> list[Any]:
    """What producers read of refused records."""
    shown = tail(settings.broker, [settings.topics.refusals], Wanted(), START, follow=False)
    return [json.loads(one.line) async for one in shown if one.line]


async def until_refused(settings: Settings, number: int) -> list[Any]:
    async def there() -> bool:
        return len(await refusals(settings)) >= number

    await until(there)
    return await refusals(settings)


async def test_a_bad_record_is_announced_once_with_its_place_and_reason(settings: Settings) -> None:
    days = settings.topics.days
    async with working(settings, "projector", "relay"):
        await publish(settings, days, [record(laps=laps(1)), *bad_records(), record(lap_count=9)])
        twice, broken, none = await until_refused(settings, 3)
    assert twice["source"] == "lapstream"
    assert twice["data"].pop("refused_at")
    assert twice["data"] == {
        "topic": days,
        "partition": PARTITION,
        "offset": 1,
        "code": "invalid_event",
        "reason": "session_detail.fetched.v2: lap 1 of session 1 stands there more than once",
        "source": "elsewhere",
        "event_id": dict(record().headers)["ce_id"].decode(),
        "event_type": "session_detail.fetched.v2",
        "event_source": PUBLISHER,
    }
    assert (broken["data"]["code"], broken["data"]["source"]) == ("bad_json", "liverc")  # by its key
    assert (none["data"]["code"], none["data"]["offset"]) == ("bad_header", 3)
    assert not {"event_id", "source"} & none["data"].keys()
    assert len(await refusals(settings)) == 3  # though two projections met each record


async def test_requests_that_are_refused_are_announced(settings: Settings) -> None:
    """Of another timing service, and of a session that the site can't have: neither is an internal error."""
    settings = at(settings, detail_partitions=PARTITION + 1)
    await grow(settings, settings.topics.details, settings.detail_partitions)
    about: dict[str, Any] = {"track_slug": "track", "date": DATE, "requested_at": seen(1)}
    foreign = PracticeDayRequested(source="elsewhere", **about)
    no_session = SessionDetailRequested(source="liverc", session_id="no-number", **about)
    async with working(settings, "fetcher", "relay"):
        for topic, request in (
            (settings.topics.requests, foreign),
            (settings.topics.details, no_session),
        ):
            await publish(settings, topic, [pack(request, Context(source=PUBLISHER))])
        refused = {one["data"]["topic"]: one["data"] for one in await until_refused(settings, 2)}
    found = {topic: (one["code"], one["source"]) for topic, one in refused.items()}
    assert found == {
        settings.topics.requests: ("foreign_source", "elsewhere"),
        settings.topics.details: ("foreign_session", "liverc"),
    }


async def test_a_rebuild_announces_no_refusal_again(settings: Settings, pool: Pool) -> None:
    await publish(settings, settings.topics.days, [record(), *bad_records()])

    async def announced() -> int:
        async with pool.acquire() as connection:
            return await connection.fetchval("SELECT count(*) FROM outbox WHERE type = 'record.refused.v1'")

    async with projecting(settings):
        await until_at(pool, settings, 4)
    assert await announced() == 3
    await rebuild(settings)
    async with projecting(settings):
        await publish(settings, settings.topics.days, bad_records()[:1])
        await until_at(pool, settings, 5)
    assert await announced() == 4
