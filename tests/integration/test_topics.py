"""Topics beside their declaration: more partitions do no harm, fewer are an error that says what to do."""

import msgspec
import pytest
from aiokafka.admin import NewTopic
from typer.testing import Result

from broker import topics
from broker.clients import administering
from broker.topics import TopicState
from lapstream.roles import TopicsMissing, check_ready
from runtime.settings import Settings
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from sandbox.sample_site.site import Settings as SiteSettings
from tests.commands import invoked
from tests.conftest import DAY, TRACK, at, working
from tests.imports import import_day
from tests.topics import grow

SESSIONS = 24


async def states(settings: Settings) -> dict[str, TopicState]:
    found = await topics.check_topics(settings.broker, settings.topics)
    return {state.name: state for state in found}


async def said(settings: Settings, *arguments: str) -> Result:
    return await invoked(settings, "topics", *arguments)


async def test_more_partitions_than_declared_are_a_note(settings: Settings) -> None:
    name = settings.topics.days
    await grow(settings, name, 10)
    found = (await states(settings))[name]
    assert (found.partitions, found.differences) == (10, [])
    assert found.notes == ["it has 10 partitions, declared 8: more do no harm"]
    await check_ready(settings, ["fetcher"])
    for command in ("check", "create"):
        answered = await said(settings, command, "--json")
        assert answered.exit_code == 0
        assert [one["notes"] for one in msgspec.json.decode(answered.stdout) if one["name"] == name] == [
            found.notes
        ]


async def test_fewer_partitions_are_an_error_with_the_command_that_mends_it(settings: Settings) -> None:
    fewer = at(settings, topic_prefix=f"{settings.topic_prefix}few-")
    name = fewer.topics.days
    async with administering(fewer.broker) as admin:
        await admin.create_topics([NewTopic(name, 2, 1, topic_configs=fewer.topics.specs()[1].config)])
    await said(fewer, "create")
    [difference] = (await states(fewer))[name].differences
    assert difference.startswith("it has 2 partitions, declared 8: `kafka-topics.sh ")
    assert difference.endswith(f"--alter --topic {name} --partitions 8`")
    with pytest.raises(TopicsMissing, match="has 2 partitions, declared 8"):
        await check_ready(fewer, ["fetcher"])
    assert (await said(fewer, "check")).exit_code == 1


async def test_topics_that_are_missing_are_no_right_that_is_missing(settings: Settings) -> None:
    nowhere = at(settings, topic_prefix=f"{settings.topic_prefix}nowhere-")
    with pytest.raises(
        TopicsMissing, match="nowhere-pages: it does not exist: run `lapstream topics create`"
    ):
        await check_ready(nowhere, ["fetcher", "projector", "relay"])


async def test_a_work_queue_with_more_partitions_than_declared_uses_all_of_them(
    settings: Settings, site: SampleSite
) -> None:
    wide = at(settings, detail_concurrency=6)
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=1))
    site.settings = SiteSettings(latency_seconds=0.1)
    await grow(wide, wide.topics.details, 6)
    async with working(wide):
        summary = await import_day(wide)
    assert summary.sessions_with_laps == SESSIONS
    assert wide.detail_partitions < site.ledger.max_sessions_in_flight <= 6
