"""Lag: equal to what Apache Kafka's own ConsumerGroupCommand says, behind and caught up."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition

from broker.clients import ONE_RECORD_BYTES, make_consumer, make_producer
from lapstream.cli.lag import OVER
from ops.lag.figures import GroupLag
from runtime.settings import Settings, environment
from runtime.wiring import detail_group, groups, list_group, projection_group
from schemas.envelope import Context, pack
from schemas.events import Event
from store.pool import Pool
from tests.api import asking, data_of
from tests.commands import invoked
from tests.conftest import at, working
from tests.events import fetched, listed, row
from tests.kafka_tools import tool
from tests.lag import watching
from tests.producers import leave_gaps

TOOL = "consumer.group.ConsumerGroupCommand"
SECONDS = 60.0


async def publish(settings: Settings, events: list[Event], **more: Any) -> None:
    """Publish events, in turn to the partitions of the topic of days."""
    producer: Any = make_producer(settings.broker)
    async with producer:
        for number, event in enumerate(events):
            record = pack(event, Context(source="test"))
            await producer.send_and_wait(
                settings.topics.days,
                key=record.key,
                value=record.value,
                headers=list(record.headers),
                partition=number % 3,
                **more,
            )


async def look(settings: Settings) -> list[GroupLag]:
    async with watching(settings) as lag:
        return await lag.look()


async def caught_up(settings: Settings) -> GroupLag:
    """The projection's lag once its tables and Kafka's offsets have both reached the end."""
    async with asyncio.timeout(SECONDS), watching(settings) as lag:
        while True:
            found = (await lag.look())[0]
            if found.behind == 0 and found.kafka_behind == 0:
                return found


Offsets = dict[int, tuple[int | None, int, int | None]]
"""By partition: the committed offset, the end and the lag."""


async def said_by_kafka(settings: Settings, class_path: str, group: str) -> Offsets:
    """What ConsumerGroupCommand prints."""
    printed = await tool(settings, class_path, TOOL, "--describe", "--group", group)
    lines = [line.split() for line in printed.splitlines() if line.startswith(group)]
    return {int(line[2]): (_number(line[3]), int(line[4]), _number(line[5])) for line in lines}


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)


def said_by_us(found: GroupLag) -> Offsets:
    return {one.partition: (one.committed, one.end_offset, one.kafka_behind) for one in found.partitions}


async def test_lag_is_what_kafka_says_behind_and_caught_up(settings: Settings, class_path: str) -> None:
    group = projection_group(settings.topics)
    await publish(
        settings, [listed(1, row("1"), row("2")), fetched(2, "1"), fetched(2, "2"), fetched(3, "2")]
    )
    async with working(settings, "projector"):
        done = await caught_up(settings)
        while done.state != "stable" or done.members != 2:
            [done, *_] = await look(settings)
        assert done.oldest_seconds is None
        kafka = await said_by_kafka(settings, class_path, group)
        assert said_by_us(done) == kafka
        assert sum(lag or 0 for _, _, lag in kafka.values()) == 0
    await publish(settings, [fetched(4 + number, "1") for number in range(7)])
    [behind, *_] = await look(settings)
    assert said_by_us(behind) == await said_by_kafka(settings, class_path, group)
    assert (behind.behind, behind.kafka_behind, behind.state, behind.members) == (7, 7, "empty", 0)
    assert [one.behind for one in behind.partitions[:3]] == [3, 2, 2]


async def test_a_group_that_never_worked_is_behind_by_all_there_is(settings: Settings) -> None:
    await publish(settings, [fetched(1, "1"), fetched(1, "2")])
    found = await look(settings)
    assert [one.group for one in found] == [group.name for group in groups(settings.topics)]
    assert {(one.state, one.members, one.kafka_behind) for one in found} == {("absent", 0, None)}
    expected = [2 if group.topics == settings.topics.event_log else 0 for group in groups(settings.topics)]
    assert [one.behind for one in found] == expected
    assert {(one.position, one.committed) for group in found for one in group.partitions} == {(None, None)}


async def test_the_stored_position_counts_not_what_kafka_was_told(settings: Settings, pool: Pool) -> None:
    await publish(settings, [fetched(1, "1"), fetched(1, "2"), fetched(1, "3"), fetched(2, "1")])
    async with working(settings, "projector"):
        await caught_up(settings)
    async with pool.acquire() as connection:
        await connection.execute("UPDATE positions SET next_offset = 1 WHERE partition = 0")
    [found, *_] = await look(settings)
    assert (found.behind, found.kafka_behind) == (1, 0)
    assert (found.partitions[0].position, found.partitions[0].committed) == (1, 2)


async def test_the_oldest_record_that_is_not_applied_has_an_age(settings: Settings) -> None:
    hour = 3_600
    await publish(settings, [fetched(1, "1")], timestamp_ms=_ms_ago(2 * hour))
    await publish(settings, [fetched(1, "2")], timestamp_ms=_ms_ago(hour))
    [found, *_] = await look(settings)
    assert found.oldest_seconds == pytest.approx(2 * hour, abs=60)
    assert found.partitions[1].oldest_seconds is None


async def test_records_larger_than_what_is_fetched_of_a_partition_have_an_age_too(settings: Settings) -> None:
    producer: Any = make_producer(settings.broker)
    async with producer:
        for partition in range(3):
            await producer.send_and_wait(
                settings.topics.days, value=os.urandom(16 * ONE_RECORD_BYTES), partition=partition
            )
    [found, *_] = await look(settings)
    assert [one.oldest_seconds is not None for one in found.partitions[:4]] == [True, True, True, False]


def _ms_ago(seconds: int) -> int:
    return int((time.time() - seconds) * 1000)


async def test_what_holds_nothing_but_a_marker_is_not_waited_for(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.lag.asking.RECORD_SECONDS", 10 * SECONDS)
    await leave_gaps(settings, settings.topics.details)
    consumer: Any = make_consumer(settings.broker, detail_group(settings.topics), gather_ms=1)
    consumer.assign([TopicPartition(settings.topics.details, 0)])
    await consumer.start()
    await consumer.commit({TopicPartition(settings.topics.details, 0): 1})
    await consumer.stop()
    async with asyncio.timeout(SECONDS):
        found = {one.group: one for one in await look(settings)}[detail_group(settings.topics)]
    first, second = found.partitions[:2]
    assert (first.behind, first.kafka_behind, first.oldest_seconds) == (0, 1, None)
    assert second.behind == 2
    assert second.oldest_seconds is not None


async def test_a_missing_topic_is_said_in_words(settings: Settings) -> None:
    for group in await look(at(settings, topic_prefix="nothing-")):
        assert (group.behind, group.verdict, group.partitions) == (None, "unknown", [])
        assert group.troubles == [
            f"the broker has no topic {topic}: run `lapstream topics create`" for topic in group.topics
        ]


async def test_the_command_prints_a_table_or_json(settings: Settings) -> None:
    await publish(settings, [fetched(1, "1")])
    shown = await invoked(settings, "lag")
    assert shown.exit_code == 0
    assert f"{projection_group(settings.topics)}: absent, 0 members; 1 behind" in shown.stdout
    printed = await invoked(settings, "lag", "--json")
    assert [one["behind"] for one in msgspec.json.decode(printed.stdout)["groups"]] == [1, 1, 0, 0, 0]


async def test_a_broker_that_is_away_is_a_state_and_over_every_limit(settings: Settings) -> None:
    away = at(settings, kafka_bootstrap="127.0.0.1:1")
    shown = await invoked(away, "lag", "--json")
    found = msgspec.json.decode(shown.stdout)
    trouble = "no broker answers at 127.0.0.1:1: is LAPSTREAM_KAFKA_BOOTSTRAP right?"
    assert (shown.exit_code, found["trouble"]) == (0, trouble)
    assert {(one["verdict"], one["reason"], one["behind"]) for one in found["groups"]} == {
        ("unknown", trouble, None)
    }
    for group in ((), ("--group", list_group(settings.topics))):
        checked = await invoked(away, "lag", "--fail-over", "1d", *group)
        assert checked.exit_code == OVER
        assert f"how far it is behind is not known: {trouble}" in checked.stderr


async def test_a_database_that_is_away_leaves_the_figures_of_kafka(settings: Settings) -> None:
    await publish(settings, [fetched(1, "1")])
    away = at(settings, postgres_dsn="postgresql://someone@127.0.0.1:1/nothing")
    shown = await invoked(away, "lag", "--json")
    projection, *_, queue = msgspec.json.decode(shown.stdout)["groups"]
    assert (shown.exit_code, projection["verdict"], projection["behind"]) == (0, "unknown", None)
    assert [one["end_offset"] for one in projection["partitions"]] == [1, 0, 0, 0, 0, 0, 0, 0]
    assert projection["reason"].startswith("where the tables of practice-days stand: the database at ")
    assert (queue["behind"], queue["troubles"]) == (0, [])


async def test_without_an_observer_it_is_said_what_can_not_be_known(settings: Settings) -> None:
    group = projection_group(settings.topics)
    shown = await invoked(settings, "lag", "--group", group)
    title, verdict, more, *_ = shown.stdout.splitlines()
    assert title == f"{group}: absent, 0 members; 0 behind"
    assert verdict.startswith("  unknown: no member serves it; it was looked at for 0 s only, which is too")
    assert more.endswith("(`lapstream run relay`)? It looks every 10 s")
    async with asking(at(settings, api_port=0)) as api:
        found = data_of(await api.get("/lag"))
    assert (found["groups"], found["looked_at"]) == ([], None)
    assert found["trouble"].startswith("nobody has looked at the fleet yet: is a relay at work")


async def test_a_database_of_the_release_before_is_to_be_migrated_for_a_verdict(
    settings: Settings, pool: Pool
) -> None:
    async with pool.acquire() as connection:
        await connection.execute("DROP TABLE fleet_looks")
    shown = await invoked(settings, "lag", "--json")
    [reason] = {one["reason"] for one in msgspec.json.decode(shown.stdout)["groups"]}
    assert "the observer's looks can't be read: relation" in reason
    assert reason.endswith("bring the database's schema forward with `lapstream migrate up`")


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (("--group", "nobody"), 1, "there is no group nobody: there are t"),
        (("--fail-over", "soon"), 2, "is no limit: records as in 1000"),
        (("--fail-over", ""), 2, "is no limit: records as in 1000"),
        (("--fail-over", "1", "--watch"), 2, "not together with --watch"),
    ],
)
async def test_what_can_not_be_meant_is_refused(
    settings: Settings, typed: Sequence[str], code: int, said: str
) -> None:
    shown = await invoked(settings, "lag", *typed)
    told = " ".join(f"{shown.stderr} {shown.exception}".replace("│", " ").split())
    assert said in told
    assert shown.exit_code == code


async def test_a_reader_that_goes_away_ends_the_watch_in_silence(settings: Settings) -> None:
    program = "import typer; from lapstream.cli.commands.operate import lag; typer.run(lag)"
    command = f"'{sys.executable}' -c '{program}' --watch --json | head -1"
    process = await asyncio.create_subprocess_shell(
        command, env=environment(settings), stdout=PIPE, stderr=PIPE, limit=2**20
    )
    printed, complaint = await asyncio.wait_for(process.communicate(), SECONDS)
    assert len(msgspec.json.decode(printed)["groups"]) == len(groups(settings.topics))
    assert complaint == b""


async def test_watching_prints_a_line_at_each_look_until_it_is_interrupted(settings: Settings) -> None:
    program = "import typer; from lapstream.cli.commands.operate import lag; typer.run(lag)"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        "--watch",
        "--json",
        env=environment(settings),
        stdout=PIPE,
        stderr=PIPE,
        limit=2**20,
    )
    assert process.stdout is not None
    for behind in (0, 1):
        line = await asyncio.wait_for(process.stdout.readline(), SECONDS)
        assert msgspec.json.decode(line)["groups"][0]["behind"] == behind
        if behind == 0:
            await publish(settings, [fetched(1, "1")])
    process.send_signal(signal.SIGINT)
    _, complaint = await asyncio.wait_for(process.communicate(), SECONDS)
    assert (process.returncode, complaint) == (0, b"")
