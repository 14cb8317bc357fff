"""Rebuilds of a topic whose beginning is gone, which a copy fills, or does not."""

import datetime as dt
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from consumers.live import PRACTICE_DAYS
from ops.log_copies.errors import CopyError, Damaged, OtherLog
from ops.log_copies.exporting import export_log
from ops.log_copies.folder import Folder
from ops.log_copies.form import Draft
from ops.log_copies.manifest import Manifest
from ops.rebuild import shadow, states
from ops.rebuild.beginning import beginning
from ops.rebuild.log import TopicBeginGone
from ops.rebuild.queries import Purpose, Rebuild
from ops.rebuild.report import RebuildReport
from runtime.settings import Settings
from store.pool import Pool
from store.positions import Place
from tests.commands import ended_beside
from tests.conftest import projecting
from tests.events import fetched, laps
from tests.integration.test_rebuild import execute, send_bad, unseen
from tests.integration.test_rebuild_states import (
    as_applied,
    in_a_process,
    tables_of,
    until_waiting,
    waiting_in,
)
from tests.members import EVENTS, PARTITION, send, tables, undisturbed, until_at
from tests.topics import lose

NEWS = [fetched(10 + number, "1", laps=laps(number)) for number in range(1, 4)]
LATER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
GONE = len(EVENTS)
"""Where the topic begins, once its beginning is gone."""


async def export(settings: Settings, folder: Path) -> None:
    await export_log(
        settings.broker, settings.topics, folder, lambda _done, _total: None, segment_bytes=1_000
    )


async def project(settings: Settings, pool: Pool, offset: int) -> None:
    async with projecting(settings):
        await until_at(pool, settings, offset)


async def rebuild(settings: Settings, folder: Path | None, purpose: Purpose = "swap") -> Rebuild:
    return await states.rebuild(settings, PRACTICE_DAYS, purpose, unseen, accept=True, export=folder)


async def verified(settings: Settings, folder: Path) -> RebuildReport:
    report = states.report_of(await rebuild(settings, folder, "verify"))
    assert report
    return report


@pytest.fixture
async def lost(settings: Settings, pool: Pool, tmp_path: Path) -> Path:
    """The folder of a copy; since it was taken more came, and all but the last of its records is gone."""
    await send(settings, EVENTS)
    await send_bad(settings)
    await export(settings, tmp_path)
    await send(settings, NEWS)
    await project(settings, pool, len(EVENTS) + 1 + len(NEWS))
    await lose(settings, GONE)
    return tmp_path


async def test_without_a_copy_the_refusal_names_the_option(lost: Path, settings: Settings) -> None:
    with pytest.raises(TopicBeginGone, match=r"begins at 4: .*`--export DIR`"):
        await rebuild(settings, None)


async def test_a_copy_fills_the_beginning_and_the_topic_says_the_rest(
    lost: Path, settings: Settings, pool: Pool
) -> None:
    right = await tables(pool)
    report = await verified(settings, lost)
    assert (report.equal, report.records, report.refused) == (True, 8, 1)
    await execute(pool, "DELETE FROM laps")
    assert not (await verified(settings, lost)).equal
    assert (await rebuild(settings, lost)).state == "swapped"
    assert await tables(pool) == right == await undisturbed(pool, [*EVENTS, *NEWS])


async def test_a_copy_that_ends_where_the_topic_begins_has_no_hole(lost: Path, settings: Settings) -> None:
    await lose(settings, GONE + 1)
    assert (await verified(settings, lost)).equal


async def test_a_hole_between_copy_and_topic_is_told_and_nothing_is_made(
    lost: Path, settings: Settings, pool: Pool
) -> None:
    await lose(settings, GONE + 2)
    with pytest.raises(TopicBeginGone, match="begins at 6, and the copy ends before offset 5"):
        await rebuild(settings, lost)
    async with pool.acquire() as connection:
        assert not await shadow.exists(connection, "practice_days_shadow")


async def test_a_copy_that_begins_late_itself_fills_nothing(
    lost: Path, settings: Settings, tmp_path: Path
) -> None:
    late = tmp_path / "late"
    await export(settings, late)
    with pytest.raises(TopicBeginGone, match="the copy has none of its offsets 0 to 3"):
        await rebuild(settings, late)


def other_cluster(manifest: Manifest) -> None:
    manifest.cluster_id = "another"


def other_prefix(manifest: Manifest) -> None:
    manifest.topic_prefix = "another-"


def without_a_segment(manifest: Manifest) -> None:
    del manifest.copy_of("practice-days", PARTITION).segments[1]


@pytest.mark.parametrize(
    ("edit", "error"),
    [(other_cluster, OtherLog), (other_prefix, TopicBeginGone), (without_a_segment, TopicBeginGone)],
)
async def test_a_manifest_that_is_not_of_this_log_or_has_a_hole_is_refused(
    lost: Path, settings: Settings, edit: Callable[[Manifest], None], error: type[Exception]
) -> None:
    manifest = Folder(lost).manifest()
    edit(manifest)
    Folder(lost).save(manifest)
    with pytest.raises(error):
        await rebuild(settings, lost)


async def test_a_damaged_file_is_found_before_anything_is_made(
    lost: Path, settings: Settings, pool: Pool
) -> None:
    segment = Folder(lost).manifest().copy_of("practice-days", PARTITION).segments[1]
    file = lost / segment.file
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(Damaged):
        await rebuild(settings, lost)
    file.unlink()
    with pytest.raises(CopyError, match="No such file"):
        await rebuild(settings, lost)
    async with pool.acquire() as connection:
        assert not await shadow.exists(connection, "practice_days_shadow")


async def test_a_copy_whose_last_record_is_another_one_is_of_another_log(
    lost: Path, settings: Settings
) -> None:
    folder, manifest = Folder(lost), Folder(lost).manifest()
    segments = manifest.copy_of("practice-days", PARTITION).segments
    draft = Draft(segments[-1].contents.start_offset)
    for entry in folder.entries(segments[-1]):
        other = msgspec.msgpack.encode(entry.content._replace(value=b"other"))
        draft.add(entry._replace(data=other), entry.content.timestamp)
    segments[-1] = folder.add("practice-days", PARTITION, draft)
    folder.save(manifest)
    with pytest.raises(OtherLog, match="does not hold the record at offset 4"):
        await rebuild(settings, lost)


async def test_a_rebuild_killed_within_the_copy_goes_on_there(
    lost: Path, settings: Settings, pool: Pool
) -> None:
    await lose(settings, GONE + 1)
    right = await tables(pool)
    async with waiting_in(settings, "replaying"):
        process = await in_a_process(settings, "rebuild", "start", "practice-days", "--export", str(lost))
        await until_waiting(pool, "replaying")
        process.send_signal(signal.SIGKILL)
        await process.wait()
    code, _, err = await ended_beside(settings, "rebuild", "start", "practice-days")
    assert (code, "--export DIR" in err) == (1, True)
    code, out, _ = await ended_beside(settings, "rebuild", "start", "practice-days", "--export", str(lost))
    assert (code, "swapped" in out) == (0, True)
    assert await tables(pool) == right


async def test_one_file_of_a_copy_is_read_at_a_time(lost: Path, settings: Settings) -> None:
    segments = Folder(lost).manifest().copy_of("practice-days", PARTITION).segments
    assert len(segments) > 2
    (lost / segments[1].file).unlink()
    reading = beginning(lost).batches(Place(settings.topics.days, PARTITION), 0, GONE)
    assert [one.offset for one in await anext(reading)] == [0]
    with pytest.raises(CopyError, match="No such file"):
        await anext(reading)


async def test_tables_as_of_a_moment_are_made_from_copy_and_topic(
    lost: Path, settings: Settings, pool: Pool
) -> None:
    found = await states.rebuild(settings, PRACTICE_DAYS, "until", unseen, until=LATER, export=lost)
    assert found.state == "built"
    assert await tables_of(pool, found.shadow) == await as_applied(pool, [*EVENTS, *NEWS])
