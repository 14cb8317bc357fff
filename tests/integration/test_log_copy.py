"""Copies of the event log: exported, killed, gone on with, imported, checked, offsets translated."""

import asyncio
import contextlib
import datetime as dt
import hashlib
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from typer.testing import CliRunner, Result

from broker.batches import BATCH_BYTES
from broker.clients import Bounds, make_reader
from broker.topics import create_topics
from consumers.live import PRACTICE_DAYS
from lapstream.cli.commands.log import app
from ops.log_copies.checking import Checked, check_folder, check_topics
from ops.log_copies.cluster import cluster
from ops.log_copies.errors import CannotTranslate, Damaged, NotEmpty, OtherLog, TargetDiffers, TopicGone
from ops.log_copies.exporting import Exported, export_log
from ops.log_copies.folder import Folder
from ops.log_copies.importing import Imported, import_log
from ops.log_copies.manifest import Manifest
from ops.log_copies.queries import CancelledRebuild
from ops.log_copies.translating import check_places, translate_offsets
from ops.parked import queries as parked
from ops.parked.queries import Selection
from ops.rebuild import shadow, swapping
from ops.rebuild.states import SwapWaits
from producer.archive import Archive
from runtime.database import database
from runtime.projections import PROJECTIONS
from runtime.settings import Settings, environment
from runtime.wiring import projection_group
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from schemas.headers import UNREADABLE
from schemas.topics import Topics
from store import positions
from store.digest import OBSERVATION_TABLES, READ_TABLES, RECORD_TABLES, TableDigest, digest
from store.pages import PageRow
from store.pool import Connection, Pool
from tests import databases
from tests.conftest import DAY, TRACK, at, projecting, working
from tests.databases import Servers
from tests.events import fetched, laps
from tests.homes import Home
from tests.imports import import_day
from tests.integration.test_rebuild import execute, fetch, rebuild, send_bad, verified
from tests.members import EVENTS, PARTITION, send, tables, undisturbed, until, until_at
from tests.producers import leave_gaps, producing
from tests.raw_records import ZSTD, RawRecord, batch, produce
from tests.topics import grow, lose

pytestmark = pytest.mark.timeout(180)

Headers = Sequence[tuple[str, bytes | None]]
NOON = 1_761_350_400_000
"""A time of records in milliseconds since 1970."""


class Sent(NamedTuple):
    """A record to be published; `timestamp_ms` in milliseconds since 1970."""

    key: bytes | None = b"key"
    value: bytes | None = b"value"
    headers: Headers = ()
    timestamp_ms: int = NOON


NEWS = [fetched(10 + number, "1", laps=laps(number)) for number in range(1, 4)]
ODD = (
    Sent(value=None),
    Sent(key=None, headers=(("a", None), ("a", b""), ("a", b"\xff\xfe"), ("ä", b"1"))),
    Sent(key=b"", value=b"", timestamp_ms=0),
    Sent(value=b"x" * (4 * 1024 * 1024), timestamp_ms=NOON + 5_000),
    Sent(value=bytes(range(256)) * 16_000, timestamp_ms=NOON - 5_000),
)


def nothing(value: bytes) -> None:
    """Makes a record without a value of any."""


def unseen(done: int, total: int) -> None:
    """Progress that nobody sees."""


@pytest.fixture(scope="module")
def second(servers: Home) -> str:
    """The address of a second broker."""
    return servers.servers.kafka_bootstrap


@pytest.fixture
def there(settings: Settings, second: str) -> Settings:
    """The test's settings, with the second broker."""
    return at(settings, kafka_bootstrap=second)


@pytest.fixture
async def fresh(there: Settings, the_servers: Servers) -> AsyncGenerator[Settings]:
    """The second broker, with a database where nothing is yet."""
    async with databases.made(the_servers.postgres_dsn, template=the_servers.template) as dsn:
        yield at(there, postgres_dsn=dsn)


async def publish(settings: Settings, topic: str, *records: Sent, partition: int = PARTITION) -> None:
    async with producing(settings) as producer:
        for record in records:
            sent = record._replace(headers=list(record.headers))
            await producer.send(topic, partition=partition, **sent._asdict())


async def records(settings: Settings, topic: str) -> dict[int, list[Sent]]:
    """All records of a topic, by partition, as they were sent."""
    found: dict[int, list[Sent]] = {}
    async with cluster(settings.broker) as here:
        for partition, (begin, end, _) in (await here.bounds(topic)).items():
            found[partition] = [
                Sent(one.key, one.value, tuple(one.headers), one.timestamp)
                async for batch in here.read(topic, partition, begin, end)
                for one in batch
            ]
    return found


async def ends(settings: Settings, topic: str) -> dict[int, Bounds]:
    async with cluster(settings.broker) as here:
        return await here.bounds(topic)


async def export(settings: Settings, folder: Path, segment_bytes: int = 16 * 1024) -> Exported:
    return await export_log(settings.broker, settings.topics, folder, unseen, segment_bytes)


async def bring(settings: Settings, folder: Path) -> Imported:
    return await import_log(settings, folder, unseen)


async def check(settings: Settings, folder: Path) -> Checked:
    """What is wrong with a folder, and with the topics beside it."""
    found = await check_folder(folder, unseen)
    assert found.problems == []
    async with cluster(settings.broker) as there:
        return await check_topics(there, settings.topic_prefix, found.manifest, unseen)


async def ingest(settings: Settings, site: SampleSite, day: dt.date = DAY) -> None:
    """Import a day, with all roles."""
    site.put(generate_day(TRACK, day, seed=1, sessions=6, laps_per_session=4))
    async with working(settings):
        summary = await import_day(settings, day)
        assert summary.status == "completed"
        await caught_up(settings)


async def caught_up(settings: Settings) -> None:
    """Return when every projection has applied the last record of each partition."""
    lasts = {
        topic: {
            partition: found[-1] + 1 for partition, found in (await offsets(settings, topic)).items() if found
        }
        for topic in (settings.topics.days, settings.topics.pages)
    }
    async with contextlib.AsyncExitStack() as stack:
        for one in PROJECTIONS:
            pool = await stack.enter_async_context(database(settings, size=1, schema=one.schema))
            [topic] = one.topics(settings.topics)
            wanted = lasts[topic]
            await until(partial(stands_at, pool, one.group(settings.topic_prefix), wanted))


async def stands_at(pool: Pool, group: str, wanted: dict[int, int]) -> bool:
    async with pool.acquire() as connection:
        found = await positions.read(connection, group)
    at = {place.partition: offset for place, offset in found.items()}
    return all(at.get(partition, 0) >= offset for partition, offset in wanted.items())


async def offsets(settings: Settings, topic: str) -> dict[int, list[int]]:
    """The offsets of all records of a topic, by partition."""
    found: dict[int, list[int]] = {}
    async with cluster(settings.broker) as here:
        for partition, (begin, end, _) in (await here.bounds(topic)).items():
            reading = here.read(topic, partition, begin, end)
            found[partition] = [one.offset async for batch in reading for one in batch]
    return found


async def project(settings: Settings) -> None:
    async with working(settings, "projector"):
        await caught_up(settings)


async def digests(settings: Settings) -> list[TableDigest]:
    async with database(settings) as pool, pool.acquire() as connection:
        return await digest(connection, READ_TABLES + OBSERVATION_TABLES + RECORD_TABLES)


async def test_tables_made_from_an_imported_copy_are_the_same_to_the_byte(
    settings: Settings, fresh: Settings, site: SampleSite, tmp_path: Path
) -> None:
    await leave_gaps(settings, settings.topics.days, settings.topics.pages)
    await ingest(settings, site)
    await export(settings, tmp_path)
    imported = await bring(fresh, tmp_path)
    assert imported.sent == imported.records > 20
    found = await check(fresh, tmp_path)
    assert (found.problems, found.newer_offsets) == ([], 0)
    await project(fresh)
    wanted = await digests(settings)
    assert await digests(fresh) == wanted
    assert all(one.rows for one in wanted)


async def test_odd_and_large_records_come_back_as_they_were(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    days, outcomes = settings.topics.days, settings.topics.outcomes
    await publish(settings, days, *ODD)
    await publish(settings, outcomes, *ODD[:3], partition=0)
    await export(settings, tmp_path)
    await bring(there, tmp_path)
    assert (await records(there, days))[PARTITION] == list(ODD)
    assert await records(there, days) == await records(settings, days)
    assert await records(there, outcomes) == await records(settings, outcomes)


async def test_a_record_without_key_value_and_time_comes_back_too(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    empty = Sent(None, None, (), -1)
    async with producing(settings, value_serializer=nothing) as producer:
        await producer.send_and_wait(settings.topics.days, value=b"", partition=0, timestamp_ms=-1)
    assert (await records(settings, settings.topics.days))[0] == [empty]
    await export(settings, tmp_path)
    await bring(there, tmp_path)
    assert (await records(there, settings.topics.days))[0] == [empty]


async def test_work_queues_are_no_part_of_the_record(settings: Settings, tmp_path: Path) -> None:
    await publish(settings, settings.topics.requests, Sent())
    manifest = (await export(settings, tmp_path)).manifest
    assert [topic.name for topic in manifest.topics] == ["practice-days", "pages", "practice-day-outcomes"]
    assert manifest.records == 0
    assert manifest.finished_at


async def test_a_later_export_adds_what_is_new_and_touches_nothing_else(
    settings: Settings, tmp_path: Path
) -> None:
    days = settings.topics.days
    await publish(settings, days, *ODD)
    first = await export(settings, tmp_path)
    again = await export(settings, tmp_path)
    assert (again.new_records, again.new_files) == (0, 0)
    await leave_gaps(settings, days)
    await publish(settings, days, Sent(value=b"newer"))
    later = await export(settings, tmp_path)
    assert later.new_records == 9
    assert (later.new_files, later.manifest.export_id) == (8, first.manifest.export_id)
    kept = first.manifest.copy_of("practice-days", PARTITION).segments
    copy = later.manifest.copy_of("practice-days", PARTITION)
    assert copy.segments[:-1] == kept
    assert [gap.offsets for gap in copy.segments[-1].contents.gaps] == [1]
    assert (await check(settings, tmp_path)).problems == []


async def test_an_end_that_holds_no_record_is_no_end_of_the_export(
    settings: Settings, tmp_path: Path
) -> None:
    await leave_gaps(settings, settings.topics.days, how="abort")
    first, again = await export(settings, tmp_path), await export(settings, tmp_path)
    assert [(one.new_records, one.new_files) for one in (first, again)] == [(0, 8), (0, 0)]
    await publish(settings, settings.topics.days, *ODD[:1])
    await leave_gaps(settings, settings.topics.days, how="abort")
    later = await export(settings, tmp_path)
    assert (later.new_records, later.manifest.copy_of("practice-days", PARTITION).next_offset) == (1, 5)
    assert (await check(settings, tmp_path)).problems == []
    assert (await export(settings, tmp_path)).new_files == 0


async def test_positions_behind_what_was_aborted_are_not_ahead_of_the_copy(
    settings: Settings, there: Settings, pool: Pool, tmp_path: Path
) -> None:
    await publish(settings, settings.topics.days, *ODD[:1])
    await leave_gaps(settings, settings.topics.days, how="abort")
    async with projecting(settings):
        await until_at(pool, settings, 3)
    await export(settings, tmp_path)
    carried = await carry(there, pool, tmp_path)
    assert (carried.ahead, carried.short) == ([], [])
    assert await stood(pool, there) == {number: int(number == PARTITION) for number in range(8)}


async def test_positions_before_the_beginning_of_the_copy_are_told(
    settings: Settings, there: Settings, pool: Pool, tmp_path: Path
) -> None:
    await publish(settings, settings.topics.days, *ODD[:1])
    async with projecting(settings):
        await until_at(pool, settings, 1)
    await publish(settings, settings.topics.days, *ODD[:3])
    await lose(settings, 3)
    await export(settings, tmp_path)
    carried = await carry(there, pool, tmp_path)
    [one] = carried.short
    assert (one.partition, one.next_offset, one.copied_from) == (PARTITION, 1, 3)
    assert one.group_name == projection_group(settings.topics)


class Copying:
    """An export or import in a process of its own."""

    def __init__(self, settings: Settings, what: str, folder: Path) -> None:
        self._settings = settings
        self._command = [sys.executable, "-m", "tests.log_copy_process", what, str(folder)]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncGenerator[Process]:
        process = await asyncio.create_subprocess_exec(
            *self._command, env=environment(self._settings), stdout=DEVNULL, stderr=DEVNULL
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()


MANY = 3_000


async def fill(settings: Settings) -> None:
    """Many records in one partition, no two of them alike."""
    noise = [hashlib.sha512(str(number).encode()).digest() * 4 for number in range(MANY)]
    await publish(settings, settings.topics.days, *(Sent(value=one) for one in noise))


async def killed_export(settings: Settings, folder: Path, files: int) -> Manifest:
    """What is on file of an export that was killed as soon as it had written so many files."""
    found = Folder(folder)
    async with Copying(settings, "export", folder).running():

        async def grown() -> bool:
            manifest = found.find()
            return manifest is not None and len(manifest.segments) >= files

        await until(grown)
    return found.manifest()


async def test_an_export_that_was_killed_goes_on_where_it_was(settings: Settings, tmp_path: Path) -> None:
    await fill(settings)
    first = await killed_export(settings, tmp_path, 2)
    second = await killed_export(settings, tmp_path, len(first.segments) + 2)
    assert (first.finished_at, second.finished_at) == (None, None)
    assert second.records < MANY
    await export(settings, tmp_path)
    whole = Folder(tmp_path).manifest()
    assert (whole.records, whole.segments[: len(second.segments)]) == (MANY, second.segments)
    assert second.segments[: len(first.segments)] == first.segments
    assert (await check(settings, tmp_path)).problems == []


async def test_an_import_that_was_killed_goes_on_without_duplicates(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    await fill(settings)
    days = settings.topics.days
    await export(settings, tmp_path)
    await create_topics(there.broker, there.topics, replication_factor=1)
    held = 0
    for _ in range(2):
        before = held
        async with Copying(there, "import", tmp_path).running(), cluster(there.broker) as target:

            async def grown(before: int = before, target: Any = target) -> bool:
                return (await target.bounds(days))[PARTITION].end > before + 20

            await until(grown)
        held = (await ends(there, days))[PARTITION].end
        assert held < MANY
    assert (await bring(there, tmp_path)).sent == MANY - held
    found = await check(there, tmp_path)
    assert (found.problems, found.newer_offsets) == ([], 0)
    assert (await bring(there, tmp_path)).sent == 0


async def test_a_target_with_other_records_is_refused_and_left_alone(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    await publish(settings, settings.topics.days, *ODD)
    await export(settings, tmp_path)
    await create_topics(there.broker, there.topics, replication_factor=1)
    await publish(there, there.topics.outcomes, Sent(), partition=0)
    with pytest.raises(NotEmpty, match=r"practice-day-outcomes\[0\] holds offsets 0 to 0"):
        await bring(there, tmp_path)
    assert not any((await records(there, there.topics.days)).values())


async def test_a_target_whose_last_record_is_another_one_is_refused(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    await publish(settings, settings.topics.days, *ODD)
    await export(settings, tmp_path)
    await create_topics(there.broker, there.topics, replication_factor=1)
    await publish(there, there.topics.days, ODD[0], ODD[1]._replace(timestamp_ms=NOON + 1))
    with pytest.raises(NotEmpty, match="not the first records of its copy"):
        await bring(there, tmp_path)


async def test_a_topic_that_has_grown_comes_back_with_all_its_partitions(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    days = settings.topics.days
    await grow(settings, days, 10)
    await publish(settings, days, *ODD[:2], partition=9)
    await export(settings, tmp_path)
    await bring(there, tmp_path)
    assert await records(there, days) == await records(settings, days)
    assert len(await records(there, days)) == 10


async def test_topics_with_more_partitions_take_a_copy_and_with_fewer_refuse_it(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    days = settings.topics.days
    await publish(settings, days, *ODD[:2])
    await export(settings, tmp_path)
    await create_topics(there.broker, there.topics, replication_factor=1)
    await grow(there, days, 10)
    assert (await bring(there, tmp_path)).sent == 2
    assert (await check(there, tmp_path)).newer_offsets == 0
    await publish(there, days, Sent(), partition=9)
    assert (await check(there, tmp_path)).newer_offsets == 1
    with pytest.raises(NotEmpty, match=r"\[9\] holds offsets 0 to 0"):
        await bring(there, tmp_path)
    await grow(settings, days, 12)
    await export(settings, tmp_path)
    with pytest.raises(TargetDiffers, match=r"has 10 partitions, its copy 12: .*--alter .*--partitions 12`"):
        await bring(there, tmp_path)


async def test_records_that_the_client_can_not_hand_out_are_copied_as_it_hands_them_out(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    """Their places hold: what is read from the copy, and from what was brought back, is parked the same."""
    headers = [(b"ce_id", b"1"), (b"\xff\xfe", b"x")]
    unreadable = [batch([RawRecord(headers=headers)]), batch([RawRecord(bytes(BATCH_BYTES))], ZSTD)]
    for data in unreadable:
        await produce(settings.kafka_bootstrap, settings.topics.days, data, PARTITION)
    await publish(settings, settings.topics.days, Sent())
    await export(settings, tmp_path)
    await bring(there, tmp_path)
    assert (await check(there, tmp_path)).problems == []
    [named, bomb, _] = (await records(there, there.topics.days))[PARTITION]
    assert (named.value, dict(named.headers)["%FF%FE"]) == (b"{}", b"x")
    assert (bomb.key, bomb.value) == (None, None)
    assert all(UNREADABLE in dict(one.headers) for one in (named, bomb))
    assert await records(there, there.topics.days) == await records(settings, settings.topics.days)


async def test_a_damaged_file_is_found_before_anything_is_written(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    await publish(settings, settings.topics.days, *ODD)
    [*_, last] = (await export(settings, tmp_path)).manifest.segments
    file = tmp_path / last.file
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert [problem.place for problem in (await check_folder(tmp_path, unseen)).problems] == [last.file]
    with pytest.raises(Damaged):
        await bring(there, tmp_path)
    async with cluster(there.broker) as target:
        with pytest.raises(TopicGone):
            await target.bounds(there.topics.days)


async def test_a_topic_that_differs_from_its_copy_is_found(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    await publish(settings, settings.topics.days, *ODD[:3])
    await export(settings, tmp_path)
    await create_topics(there.broker, there.topics, replication_factor=1)
    await publish(there, there.topics.days, *ODD[:2], ODD[2]._replace(value=b"other"))
    [problem] = (await check(there, tmp_path)).problems
    assert problem.place == f"{there.topics.days}[{PARTITION}] offsets 0 to 2"
    assert problem.found.startswith("other records lie there")


async def test_a_folder_of_another_log_is_not_gone_on_with(settings: Settings, tmp_path: Path) -> None:
    await export(settings, tmp_path)
    with pytest.raises(OtherLog, match="export into another folder"):
        await export(at(settings, topic_prefix="other-"), tmp_path)


async def test_a_topic_made_anew_is_not_gone_on_with(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    await publish(settings, settings.topics.days, *ODD[:2])
    manifest = (await export(settings, tmp_path)).manifest
    await create_topics(there.broker, there.topics, replication_factor=1)
    await publish(there, there.topics.days, *ODD[1:4])
    async with cluster(there.broker) as target:
        manifest.cluster_id = await target.id()
    Folder(tmp_path).save(manifest)
    with pytest.raises(OtherLog, match="is not the log"):
        await export(there, tmp_path)


async def pages_of(connection: Connection) -> list[PageRow]:
    return [PageRow(*one) for one in await connection.fetch("SELECT * FROM page_index.pages ORDER BY 1, 2")]


async def all_read(settings: Settings, pool: Pool) -> bool:
    """Whether every page of the index lies where the index says."""
    reader = make_reader(settings.broker)
    await reader.start()
    try:
        archive = Archive(pool, reader)
        async with pool.acquire() as connection:
            rows = await pages_of(connection)
        assert rows
        return all([await archive.read(one) for one in rows])
    finally:
        await reader.stop()


async def parked_places(pool: Pool) -> dict[tuple[str, int, int], bytes | None]:
    """Parked records' values by group, partition and offset."""
    async with pool.acquire() as connection:
        heads = await parked.find(connection, Selection(state=None))
        return {
            (one.group, one.partition, one.offset): one.value
            for one in await parked.read(connection, [head.at for head in heads])
        }


async def stood(pool: Pool, settings: Settings) -> dict[int, int]:
    async with pool.acquire() as connection:
        found = await positions.read(connection, projection_group(settings.topics))
        return {place.partition: offset for place, offset in found.items()}


async def carry(settings: Settings, pool: Pool, folder: Path) -> Any:
    imported = await bring(settings, folder)
    async with pool.acquire() as connection:
        return await translate_offsets(
            connection, settings.topics, Folder(folder).manifest(), imported.cluster_id
        )


async def test_positions_pages_and_parked_records_are_carried_over_once(
    settings: Settings, there: Settings, site: SampleSite, pool: Pool, tmp_path: Path
) -> None:
    await leave_gaps(settings, settings.topics.days, settings.topics.pages)
    await ingest(settings, site)
    await publish(settings, settings.topics.days, Sent(value=b"bad"))
    await project(settings)
    group = projection_group(settings.topics)
    old = (await ends(settings, settings.topics.days))[PARTITION].end
    assert (await parked_places(pool))[group, PARTITION, old - 1] == b"bad"
    wanted = await digests(settings)
    await export(settings, tmp_path)

    carried = await carry(there, pool, tmp_path)

    assert (carried.ahead, carried.pages_lost, carried.parked_lost) == ([], 0, 0)
    assert carried.pages == 7
    places = await parked_places(pool)
    assert places[group, PARTITION, old - 2] == b"bad"
    assert places[group, PARTITION, 0] == b"in a transaction"
    days = await ends(there, there.topics.days)
    assert await stood(pool, there) == {partition: bounds.end for partition, bounds in days.items()}
    assert await all_read(there, pool)
    assert await carry(there, pool, tmp_path) is None
    assert await parked_places(pool) == places

    await send(there, EVENTS)
    await project(there)
    assert await parked_places(pool) == places
    assert await digests(there) != wanted


async def test_what_the_copy_lacks_is_told_and_keeps_no_place_of_another_record(
    settings: Settings, there: Settings, site: SampleSite, pool: Pool, tmp_path: Path
) -> None:
    await ingest(settings, site)
    await export(settings, tmp_path)
    end = (await ends(settings, settings.topics.days))[PARTITION].end
    await publish(settings, settings.topics.days, Sent(value=b"bad"), Sent(value=b"worse"))
    await publish(settings, settings.topics.requests, Sent(value=b"no request"), partition=0)
    await ingest(settings, site, DAY + dt.timedelta(days=1))
    group = projection_group(settings.topics)

    carried = await carry(there, pool, tmp_path)

    assert (group, PARTITION, end + 2, end) in {
        (one.group_name, one.partition, one.next_offset, one.copied_to) for one in carried.ahead
    }
    assert carried.pages_lost == 7
    assert carried.parked_lost == 5
    assert (await stood(pool, there))[PARTITION] == end
    places = await parked_places(pool)
    assert (places[group, PARTITION, -1], places[group, PARTITION, -2]) == (b"bad", b"worse")
    assert places[f"{settings.topic_prefix}list-fetcher", 0, -1] == b"no request"


async def announced(pool: Pool) -> list[object]:
    return await fetch(pool, "SELECT seq, id FROM outbox ORDER BY seq")


async def all_applied(settings: Settings, pool: Pool) -> None:
    async with projecting(settings):
        wanted = (await offsets(settings, settings.topics.days))[PARTITION][-1] + 1
        await until_at(pool, settings, wanted)


@pytest.fixture
async def filled(settings: Settings, pool: Pool) -> None:
    """A log with gaps, whose events are in the live tables; it ends with a record that is parked."""
    await leave_gaps(settings, settings.topics.days)
    await send(settings, EVENTS)
    await send_bad(settings)
    await all_applied(settings, pool)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("taken_back", ["before the export", "after the import"])
async def test_projectors_go_on_in_the_new_log_and_announce_nothing_twice(
    settings: Settings, there: Settings, pool: Pool, tmp_path: Path, taken_back: str
) -> None:
    assert (await rebuild(settings)).state == "swapped"
    await send(settings, NEWS)
    await all_applied(settings, pool)
    before, right = await announced(pool), await tables(pool)
    if taken_back == "before the export":
        await swapping.take_back(settings, PRACTICE_DAYS)
    await export(settings, tmp_path)
    await carry(there, pool, tmp_path)
    if taken_back == "after the import":
        await swapping.take_back(there, PRACTICE_DAYS)
    assert await tables(pool) != right
    marks = await fetch(pool, f"SELECT next_offset FROM announced WHERE partition = {PARTITION}")
    assert [tuple(one) for one in marks] == [(1 + len(EVENTS) + 1 + len(NEWS),)]
    await all_applied(there, pool)
    assert (await announced(pool), await tables(pool)) == (before, right)
    assert (await verified(there)).equal
    await send(there, [fetched(99, "2")])
    await all_applied(there, pool)
    assert len(await announced(pool)) == len(before) + 1


async def refused_places(pool: Pool) -> list[tuple[int, int]]:
    rows = await fetch(pool, "SELECT partition, record_offset FROM rebuild_refused ORDER BY 1, 2")
    return [tuple(one) for one in rows]


@pytest.mark.usefixtures("filled")
async def test_a_rebuild_under_way_goes_on_in_the_new_log(
    settings: Settings, there: Settings, pool: Pool, tmp_path: Path
) -> None:
    right = await tables(pool)
    await execute(pool, "UPDATE race_results SET laps_completed = 99")
    with pytest.raises(SwapWaits):
        await rebuild(settings)
    await export(settings, tmp_path)
    carried = await carry(there, pool, tmp_path)
    assert (carried.ahead, carried.cancelled) == ([], [])
    places = await parked_places(pool)
    assert await refused_places(pool) == sorted((partition, at) for _, partition, at in places)
    assert (PARTITION, 1 + len(EVENTS)) in await refused_places(pool)
    assert (await rebuild(there, accept=True)).state == "swapped"
    assert len(await fetch(pool, "SELECT FROM rebuilds")) == 1
    assert await tables(pool) == right


@pytest.mark.usefixtures("filled")
async def test_a_rebuild_whose_tables_know_more_than_the_copy_is_cancelled(
    settings: Settings, there: Settings, pool: Pool, tmp_path: Path
) -> None:
    await export(settings, tmp_path)
    await send(settings, NEWS)
    await send_bad(settings)
    await all_applied(settings, pool)
    await execute(pool, "UPDATE race_results SET laps_completed = 99")
    with pytest.raises(SwapWaits):
        await rebuild(settings)
    carried = await carry(there, pool, tmp_path)
    assert carried.cancelled == [CancelledRebuild(projection="practice-days", purpose="swap")]
    assert [one.group_name for one in carried.ahead] == [projection_group(settings.topics)]
    assert (PARTITION, 1 + len(EVENTS)) in await refused_places(pool)
    assert len(await refused_places(pool)) == 9
    async with pool.acquire() as connection:
        assert not await shadow.exists(connection, "practice_days_shadow")
    assert (await rebuild(there, accept=True)).state == "swapped"
    assert await tables(pool) == await undisturbed(pool, EVENTS)


async def test_a_copy_brought_into_a_third_cluster_maps_from_the_second(
    settings: Settings, there: Settings, pool: Pool, tmp_path: Path
) -> None:
    await leave_gaps(settings, settings.topics.days)
    await publish(settings, settings.topics.days, Sent(value=b"bad"))
    await project(settings)
    await export(settings, tmp_path)
    await carry(there, pool, tmp_path)
    carried = await stood(pool, there)
    assert carried[PARTITION] == 2
    places = await parked_places(pool)
    async with pool.acquire() as connection:
        again = await translate_offsets(
            connection, there.topics, Folder(tmp_path).manifest(), "a third cluster"
        )
    assert again is not None
    assert again.parked == len(places)
    assert (await stood(pool, there), await parked_places(pool)) == (carried, places)


async def test_a_copy_of_a_log_that_the_database_does_not_speak_of_carries_nothing_over(
    settings: Settings, pool: Pool, tmp_path: Path
) -> None:
    manifest = (await export(settings, tmp_path)).manifest
    stranger = (await export(settings, tmp_path / "other")).manifest
    stranger.cluster_id = "a stranger"
    async with pool.acquire() as connection:
        await translate_offsets(connection, settings.topics, manifest, "the new one")
        with pytest.raises(CannotTranslate, match="are those of cluster the new one"):
            await check_places(connection, settings.topics, stranger)
        with pytest.raises(CannotTranslate, match="topic prefix"):
            await check_places(connection, Topics(prefix="other-"), manifest)


def invoke(settings: Settings, *arguments: object, answer: str | None = None) -> Result:
    variables = environment(settings) | {"COLUMNS": "200"}
    return CliRunner().invoke(app, [str(one) for one in arguments], env=variables, input=answer)


async def test_the_commands_export_check_ask_and_import(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    await publish(settings, settings.topics.days, *ODD)
    exported = await asyncio.to_thread(invoke, settings, "export", tmp_path, "--json")
    assert msgspec.json.decode(exported.stdout)["new_records"] == len(ODD)
    asked = await asyncio.to_thread(invoke, there, "import", tmp_path, answer="n\n")
    assert asked.exit_code == 1
    assert f"Write {len(ODD)} records into the topics {settings.topic_prefix}*" in asked.stderr
    checked = await asyncio.to_thread(invoke, there, "check", tmp_path)
    assert (checked.exit_code, "every file is as the manifest says" in checked.stdout) == (0, True)
    imported = await asyncio.to_thread(invoke, there, "import", tmp_path, "--yes")
    assert f"all {len(ODD)} records; {len(ODD)} were written now" in imported.stdout
    assert "offsets translated: " in imported.stdout
    again = await asyncio.to_thread(invoke, there, "import", tmp_path, "--yes", "--json")
    assert msgspec.json.decode(again.stdout)["carried"] is None
    compared = await asyncio.to_thread(invoke, there, "check", tmp_path, "--topics", "--json")
    assert msgspec.json.decode(compared.stdout)["newer_offsets"] == 0


async def test_an_import_says_which_beginnings_were_gone(
    settings: Settings, there: Settings, tmp_path: Path
) -> None:
    await publish(settings, settings.topics.days, *ODD[:3])
    await lose(settings, 1)
    await export(settings, tmp_path)
    imported = await asyncio.to_thread(invoke, there, "import", tmp_path, "--yes")
    assert f"practice-days: the beginning of partitions [{PARTITION}] was gone" in imported.stderr
    assert "2 were written now" in imported.stdout


async def test_without_offset_translation_the_database_stays_as_it_was(
    settings: Settings, tmp_path: Path
) -> None:
    await publish(settings, settings.topics.days, *ODD[:3])
    await export(settings, tmp_path)
    beside = at(settings, topic_prefix=f"beside-{settings.topic_prefix}")
    refused = await asyncio.to_thread(invoke, beside, "import", tmp_path, "--yes")
    assert isinstance(refused.exception, CannotTranslate)
    taken = await asyncio.to_thread(invoke, beside, "import", tmp_path, "--yes", "--no-translate-offsets")
    assert "the database was left as it is" in taken.stdout
    assert (await check(beside, tmp_path)).problems == []
