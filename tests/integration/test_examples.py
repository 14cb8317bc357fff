"""The examples in other languages: a day of another source is published, a copy of the outcomes kept."""

import asyncio
import itertools
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runtime.settings import Settings
from schemas.topics import DAYS, LogTopic
from store.pool import Pool
from tests.conftest import at, create_topics, working
from tests.foreign import go_command, need, node_command
from tests.members import until
from tests.outcomes import outcomes
from tests.producers import producing
from tests.sources import ROOT

EXAMPLES = ROOT / "examples"
DAY = "club-timer/hillside-raceway/2025-11-02"
LAPS = """
    SELECT count(*) FROM practice_days.laps
    JOIN practice_days.race_results ON race_results.id = race_result_id
    JOIN practice_days.races ON races.id = race_results.race_id
    JOIN practice_days.events ON events.id = event_id
    WHERE events.source = 'club-timer'
"""


class Language(NamedTuple):
    """How the examples of a language are run."""

    command: Callable[[Path, str], list[str]]
    publish: str
    read: str


LANGUAGES = {
    "node": Language(node_command, "publish.mjs", "read.mjs"),
    "go": Language(go_command, "publish", "read"),
}


@pytest.fixture
async def settings(settings: Settings) -> Settings:
    """Settings with the topic of the examples, which is there."""
    log = (LogTopic(DAYS, ("liverc",)), LogTopic("club-days", ("club-timer",)))
    settings = at(settings, log_topics=log)
    await create_topics(settings)
    return settings


def own_topic(settings: Settings) -> str:
    return f"{settings.topic_prefix}club-days"


async def run(settings: Settings, *command: str, cwd: Path = EXAMPLES) -> str:
    """What a program prints."""
    topics = settings.topics
    variables = {
        "LAPSTREAM_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "LAPSTREAM_TOPIC": own_topic(settings),
        "LAPSTREAM_TOPICS": f"{topics.outcomes},{topics.refusals}",
        "LAPSTREAM_GROUP": f"{settings.topic_prefix}copy",
    }
    options: Any = {"cwd": cwd, "env": os.environ | variables, "capture_output": True, "text": True}
    done = await asyncio.to_thread(subprocess.run, command, **options, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def until_there(pool: Pool, laps: int) -> None:
    async def there() -> bool:
        async with pool.acquire() as connection:
            return await connection.fetchval(LAPS) == laps

    await until(there)


async def until_refused(settings: Settings, pool: Pool) -> str:
    """Publish a record that nobody can read, and return its place once its refusal is announced."""
    async with producing(settings) as producer:
        sent = await producer.send_and_wait(own_topic(settings), value=b"{", key=b"x")

    async def parked() -> bool:
        async with pool.acquire() as connection:
            return await connection.fetchval("SELECT EXISTS (SELECT FROM parked_records)")

    await until(parked)
    return f"{sent.topic}/{sent.partition}/{sent.offset}"


async def say_again(settings: Settings, records: list[Any]) -> None:
    """Put outcomes into their topic a second time, as a relay may that was frozen."""
    async with producing(settings) as producer:
        for one in records:
            await producer.send_and_wait(
                one.topic, key=one.key, value=one.value, headers=list(one.headers), partition=one.partition
            )


@pytest.mark.parametrize("name", LANGUAGES)
async def test_a_day_is_published_and_what_became_of_it_is_read(
    name: str, settings: Settings, pool: Pool, tmp_path: Path
) -> None:
    language = LANGUAGES[name]
    publish, read = (language.command(EXAMPLES / name, one) for one in (language.publish, language.read))
    numbers = itertools.count()

    async def copy(file: Path | None = None) -> Any:
        """The copy, read on from a file, or from the topics' beginnings."""
        file = file or tmp_path / f"copy-{next(numbers)}.json"
        await run(settings, *read, str(file), "--once")
        return json.loads(file.read_text())

    async with working(settings, "projector", "relay"):
        for _ in range(2):
            said = await run(settings, *publish, "practice.json")
            assert said == f"3 events published to {own_topic(settings)}\n"
            await until_there(pool, 5)
        bad = await until_refused(settings, pool)
        announced = await outcomes(settings)
        found = await copy()
        day = found["days"][DAY]
        assert (list(found["days"]), day["sessions"], day["laps"], day["run"]) == ([DAY], ["1", "2"], 5, None)
        assert list(found["refused"]) == [bad]

        await say_again(settings, announced)
        file = tmp_path / "copy-0.json"
        assert (await copy(file))["days"] == found["days"]
        assert (await copy())["days"] == found["days"]
        assert json.loads(file.read_text())["offsets"] != found["offsets"]


async def test_a_day_is_published_by_kcat(settings: Settings, pool: Pool) -> None:
    need("kcat", "jq", "bash")
    async with working(settings, "projector"):
        await run(settings, "./publish.sh", "../practice.json", cwd=EXAMPLES / "kcat")
        await until_there(pool, 5)
