"""Verdicts on groups, provoked for real, and read back the same from the CLI, the API and the metrics."""

import asyncio
import contextlib
import signal
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import httpx
import msgspec
import pytest
from aiokafka import TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from broker.clients import make_consumer
from consumers.live import PRACTICE_DAYS
from lapstream.cli import lag as lag_command
from lapstream.fleet import SHOWN
from ops.fleet.observing import Rhythm, observe
from ops.lag.figures import GroupLag, Verdict
from ops.lag.looker import LagLooker
from runtime.settings import Settings
from runtime.wiring import groups, list_group, projection_group
from schemas.envelope import Received
from schemas.events import PracticeDayChanged
from store.pool import Connection, Pool
from tests.api import asking, data_of
from tests.commands import invoked
from tests.conftest import at
from tests.events import fetched
from tests.foreign import need
from tests.integration.test_lag import TOOL, Offsets, said_by_us
from tests.kafka_tools import tool
from tests.lag import watching
from tests.members import PARTITION, consumer_of, member, send, until
from tests.processes import Role, role
from tests.producers import producing, put

EVERY_SECONDS = 0.2

Verdicts = Mapping[str, Verdict]


class Scene:
    """An observer at work, and those who show what it found."""

    def __init__(self, settings: Settings, api: httpx.AsyncClient) -> None:
        self._settings = settings
        self._api = api
        prefix = settings.topic_prefix
        self._names = {one.name.removeprefix(prefix): one.name for one in groups(settings.topics)}

    async def come_to(self, **expected: Verdict) -> dict[str, GroupLag]:
        """Return when CLI, API and metrics have these verdicts; gives the groups as the API has them."""
        wanted = {self._names[name.replace("_", "-")]: verdict for name, verdict in expected.items()}

        async def by_all() -> bool:
            said = [await self._by_api()]
            for read in (self._by_metrics, self._by_cli):
                if all(said[-1].get(name) == verdict for name, verdict in wanted.items()):
                    said.append(await read())
            return len(said) == 3 and all(
                one.get(name) == verdict for one in said for name, verdict in wanted.items()
            )

        await until(by_all)
        found = msgspec.convert(data_of(await self._api.get("/lag"))["groups"], list[GroupLag])
        return {one.group.removeprefix(self._settings.topic_prefix): one for one in found}

    async def _by_api(self) -> Verdicts:
        await asyncio.sleep(EVERY_SECONDS / 2)  # each look is there for so long
        found = data_of(await self._api.get("/lag"))
        return {one["group"]: one["verdict"] for one in found["groups"]}

    async def _by_metrics(self) -> Verdicts:
        shown = await self._api.get(str(self._api.base_url.copy_with(path="/metrics")))
        verdicts = (
            sample.labels
            for family in text_string_to_metric_families(shown.text)
            for sample in family.samples
            if sample.name == "lapstream_group_verdict" and sample.value
        )
        return {one["group"]: one["verdict"] for one in verdicts}  # type: ignore[reportReturnType]

    async def _by_cli(self) -> Verdicts:
        result = await invoked(self._settings, "lag", "--json")
        assert result.exit_code == 0
        return {one["group"]: one["verdict"] for one in msgspec.json.decode(result.stdout)["groups"]}


@contextlib.asynccontextmanager
async def scene(
    settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch, window: float
) -> AsyncGenerator[Scene]:
    """An observer whose window has so many seconds, an API, and metrics that are read at once."""
    monkeypatch.setattr(lag_command, "WINDOW_SECONDS", window)
    stop = asyncio.Event()
    looker = LagLooker(pool, settings.broker, settings.topics, window)
    rhythm = Rhythm(first=0, every=EVERY_SECONDS, window=window)
    async with asking(at(settings, api_port=0)) as api, asyncio.TaskGroup() as tasks:
        tasks.create_task(observe(pool, looker, stop, rhythm))
        tasks.create_task(SHOWN.keep_reading(pool, stop, every=EVERY_SECONDS))
        try:
            yield Scene(settings, api)
        finally:
            stop.set()


async def said_by_kafka(settings: Settings, class_path: str) -> dict[str, Offsets]:
    """What ConsumerGroupCommand says of the projections' groups; it fails where there is none of a name."""
    every = [one.name for one in groups(settings.topics) if one.projection]
    names = [typed for name in every for typed in ("--group", name)]
    printed = await tool(settings, class_path, TOOL, "--describe", *names)
    found: dict[str, Offsets] = {}
    for line in (line.split() for line in printed.splitlines() if line.startswith(settings.topic_prefix)):
        committed, end, lag = (None if text == "-" else int(text) for text in line[3:6])
        found.setdefault(line[0], {})[int(line[2])] = (committed, end or 0, lag)
    return found


async def commit(settings: Settings, group: str, topic: str, offset: int) -> None:
    """Have a group without members stand at an offset of a topic's first partition."""
    consumer: Any = make_consumer(settings.broker, group, gather_ms=1)
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.start()
    await consumer.commit({TopicPartition(topic, 0): offset})
    await consumer.stop()


async def slow(connection: Connection, batch: Sequence[Received]) -> Sequence[PracticeDayChanged]:
    """Apply a batch, and take some time for it."""
    await asyncio.sleep(0.15)
    return await PRACTICE_DAYS.apply(connection, batch)  # type: ignore[reportReturnType]


@contextlib.asynccontextmanager
async def coming_in(settings: Settings) -> AsyncGenerator[None]:
    """Records come in, one by one, faster than `slow` applies them."""

    async def publish() -> None:
        async with producing(settings) as producer:
            for number in range(10_000):
                await put(producer, settings.topics.days, fetched(number % 50 + 1, "9"), partition=PARTITION)
                await asyncio.sleep(0.03)

    publishing = asyncio.create_task(publish())
    try:
        yield
    finally:
        publishing.cancel()
        await asyncio.wait({publishing})


async def test_each_verdict_is_provoked_and_read_back_the_same(
    settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch, class_path: str
) -> None:
    async with role(settings, "projector") as projector:
        async with scene(settings, pool, monkeypatch, window=4) as seen:
            await seen.come_to(list_fetcher="no_members", detail_fetcher="no_members")
            await an_idle_topic(seen)
            await a_frozen_projector(seen, settings, projector, class_path)
        async with scene(settings, pool, monkeypatch, window=8) as seen:
            await a_projector_that_was_stopped(seen, settings, projector)
            await positions_and_offsets_that_went_back(seen, settings, pool)
    async with scene(settings, pool, monkeypatch, window=3) as seen:
        await a_slow_projector(seen, settings, pool)


async def an_idle_topic(seen: Scene) -> None:
    found = await seen.come_to(
        practice_days_projection="ok", track_records_projection="ok", page_index_projection="ok"
    )
    assert found["page-index-projection"].reason == "nothing is left"
    assert found["page-index-projection"].freshness_seconds == 0


async def a_frozen_projector(seen: Scene, settings: Settings, projector: Role, class_path: str) -> None:
    """For the broker it is a member until its session ends, ten seconds later."""
    projector.send(signal.SIGSTOP)
    await send(settings, [fetched(1, "1"), fetched(2, "1"), fetched(3, "1")])
    found = await seen.come_to(
        practice_days_projection="stalled", track_records_projection="stalled", page_index_projection="ok"
    )
    days = found["practice-days-projection"]
    assert (days.behind, days.members, days.pace.catch_up) == (3, 2, "never")
    assert days.reason.startswith(f"{settings.topics.days}[{PARTITION}]: 3 records are left, and none was")
    assert days.oldest_seconds == days.freshness_seconds is not None
    by_kafka = await said_by_kafka(settings, class_path)
    async with watching(settings) as lag:
        assert {one.group: said_by_us(one) for one in await lag.look() if one.group in by_kafka} == by_kafka
    assert len(by_kafka) == 3
    projector.send(signal.SIGCONT)
    await seen.come_to(practice_days_projection="ok", track_records_projection="ok")


async def a_projector_that_was_stopped(seen: Scene, settings: Settings, projector: Role) -> None:
    await projector.end(signal.SIGTERM)
    await send(settings, [fetched(4, "1"), fetched(5, "1")])
    found = await seen.come_to(practice_days_projection="stopped", page_index_projection="ok")
    assert found["practice-days-projection"].reason.startswith("its members left ")
    group = projection_group(settings.topics)
    over = await invoked(settings, "lag", "--fail-over", "1", "--group", group)
    assert over.exit_code == lag_command.OVER
    assert over.stderr.endswith("practice-days-projection: 2 behind is over the limit of 1\n")
    assert (await invoked(settings, "lag", "--fail-over", "2")).exit_code == 0
    assert (await invoked(settings, "lag", "--fail-over", "0s")).exit_code == lag_command.OVER
    assert (await invoked(settings, "lag", "--fail-over", "1d")).exit_code == 0


async def positions_and_offsets_that_went_back(seen: Scene, settings: Settings, pool: Pool) -> None:
    async with producing(settings) as producer:
        for _ in range(3):
            await producer.send_and_wait(settings.topics.requests, b"{}", partition=0)
    await commit(settings, list_group(settings.topics), settings.topics.requests, 3)
    await seen.come_to(list_fetcher="no_members")
    await commit(settings, list_group(settings.topics), settings.topics.requests, 1)
    async with pool.acquire() as connection:
        await connection.execute("UPDATE positions SET next_offset = 1 WHERE partition = $1", PARTITION)
    found = await seen.come_to(practice_days_projection="rewound", list_fetcher="rewound")
    [one] = [one for one in found["practice-days-projection"].partitions if one.partition == PARTITION]
    assert (one.position, one.committed, one.difference, one.behind) == (1, 3, -2, 4)


async def a_slow_projector(seen: Scene, settings: Settings, pool: Pool) -> None:
    """It takes one record at a time, and more come in."""
    consumer = consumer_of(settings, max_partition_fetch_bytes=1)
    async with coming_in(settings), member(settings, pool, consumer, slow):
        found = await seen.come_to(practice_days_projection="lagging")
    pace = found["practice-days-projection"].pace
    assert pace.catch_up == "never"
    assert (pace.in_rate or 0) > (pace.out_rate or 0) > 0


async def test_kcat_finds_the_same_ends(settings: Settings) -> None:
    need("kcat")
    await send(settings, [fetched(1, "1"), fetched(2, "1")])
    async with watching(settings) as lag:
        ends = {one.partition: one.end_offset for one in (await lag.look())[0].partitions}
    asked = [typed for number in ends for typed in ("-t", f"{settings.topics.days}:{number}:-1")]
    process = await asyncio.create_subprocess_exec(
        "kcat", "-Q", "-b", settings.kafka_bootstrap, *asked, stdout=PIPE, stderr=PIPE
    )
    printed, complaint = await asyncio.wait_for(process.communicate(), 30)
    found = [line.split() for line in printed.decode().splitlines()]
    assert {int(line[1].strip("[]")): int(line[-1]) for line in found} == ends, complaint
