"""An export in Parquet: another program reads the rows that the tables have, and no file is ever half one."""

import asyncio
import datetime as dt
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from laps import parquet
from laps.exporting import Exported
from laps.exporting import export as export_tracks
from laps.rows import LapRow, SessionRow
from lapstream.cli.export import NothingToExport, WhatToExport, export
from runtime.database import database
from runtime.settings import Settings, environment
from sandbox.sample_site.generate import generate_day
from schemas.identity import track_id
from store.folders import LOCK, FolderHeld, held
from store.pool import Connection, Pool
from store.reading import read_track
from tests.api import settings_of
from tests.sample_days import stored

DAYS = [
    generate_day("canberra", dt.date(2024, 12, 31), seed=1, sessions=4),
    generate_day("canberra", dt.date(2025, 1, 1), seed=2, sessions=4),
    generate_day("darwin", dt.date(2025, 1, 1), seed=3, sessions=3),
]

LAPS = """
SELECT t.source_track_slug, e.event_date, r.source_race_id, l.lap_number, l.lap_time_seconds, l.is_valid,
    l.lapped_at
FROM practice_days.laps AS l
JOIN practice_days.race_results AS x ON x.id = l.race_result_id
JOIN practice_days.races AS r ON r.id = x.race_id
JOIN practice_days.events AS e ON e.id = r.event_id
JOIN practice_days.tracks AS t ON t.id = e.track_id
"""


@pytest.fixture(scope="module")
async def settings(shared_dsn: str) -> Settings:
    """A database with days of two tracks over the turn of a year."""
    settings = settings_of(shared_dsn)
    await stored(settings, *DAYS)
    return settings


@pytest.fixture
async def pool(settings: Settings) -> AsyncGenerator[Pool]:
    async with database(settings, size=1) as pool:
        yield pool


@pytest.fixture
def configured(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)


async def exported(folder: Path, track: str | None = None) -> None:
    await asyncio.to_thread(export, track, folder, None, everything=track is None, as_json=False)


def asked(question: str) -> list[tuple[Any, ...]]:
    """What DuckDB answers."""
    return duckdb.execute(question).fetchall()


def read(folder: Path, dataset: str, columns: str) -> list[tuple[Any, ...]]:
    """Distinct rows as DuckDB has them, or counts of them."""
    files = f"read_parquet('{folder}/{dataset}/**/*.parquet', hive_partitioning = true)"
    return asked(f"SELECT {columns} FROM {files} GROUP BY ALL ORDER BY ALL")


def files_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.rglob("*") if file.is_file())


async def test_another_program_reads_the_rows_of_the_tables(
    configured: None, connection_of: Connection, tmp_path: Path
) -> None:
    await exported(tmp_path)
    columns = "track_slug, date, session_id, lap_number, lap_time_seconds, is_valid, lapped_at"
    assert read(tmp_path, "laps", columns) == sorted(map(tuple, await connection_of.fetch(LAPS)))
    assert read(tmp_path, "sessions", "source, track, year, count(*)") == [
        *(("liverc", "canberra", 2024, 4), ("liverc", "canberra", 2025, 4), ("liverc", "darwin", 2025, 3))
    ]
    for dataset, kind in (("laps", LapRow), ("sessions", SessionRow)):
        described = asked(f"DESCRIBE FROM '{tmp_path}/{dataset}/**/*.parquet'")
        names = [name for name, *_ in described]
        assert {*names} >= {*kind.__struct_fields__}
    sum_of_laps = sum(len(session.laps) for day in DAYS for session in day.sessions)
    assert read(tmp_path, "laps", "count(*)") == [(sum_of_laps,)]


@pytest.fixture
async def connection_of(pool: Pool) -> AsyncGenerator[Connection]:
    async with pool.acquire() as connection:
        yield connection


async def test_a_track_alone_is_exported_and_years_without_days_go(configured: None, tmp_path: Path) -> None:
    gone = parquet.Partition("liverc", "canberra", 2020).folder(tmp_path, "laps")
    gone.mkdir(parents=True)
    (gone / parquet.FILE).write_bytes(b"of an export before")
    await exported(tmp_path, "canberra")
    assert read(tmp_path, "laps", "track, year") == [("canberra", 2024), ("canberra", 2025)]
    assert not (gone / parquet.FILE).exists()


async def test_an_export_that_is_interrupted_leaves_whole_files_and_goes_on_anew(
    pool: Pool, tmp_path: Path
) -> None:
    async with pool.acquire() as connection:
        track = await read_track(connection, track_id("liverc", "canberra"))
    assert track

    def interrupted(done: Exported) -> None:
        if done.days == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await export_tracks(pool, [track], tmp_path, interrupted)
    assert files_in(tmp_path) == [LOCK, *[parquet.FILE] * 2]
    assert read(tmp_path, "laps", "year") == [(2024,)]
    done = await export_tracks(pool, [track], tmp_path, lambda _: None)
    assert (done.days, done.sessions, done.files) == (2, 8, 4)
    assert read(tmp_path, "laps", "count(*)") == [(done.laps,)]


async def test_two_exports_at_once_do_not_mix_their_files(
    pool: Pool, configured: None, tmp_path: Path
) -> None:
    """The second one says so and leaves everything alone; when the first is done, it may."""
    async with pool.acquire() as connection:
        track = await read_track(connection, track_id("liverc", "darwin"))
    assert track

    def second(_: Exported) -> None:
        with pytest.raises(FolderHeld, match="another export is writing into this folder"), held(tmp_path):
            pytest.fail("two are at work")

    await export_tracks(pool, [track], tmp_path, second)
    await exported(tmp_path, "darwin")
    assert read(tmp_path, "laps", "track") == [("darwin",)]


KILLED = """
import os, sys
from pathlib import Path
from laps import parquet
from laps.rows import AliasRow

place = parquet.Partition("liverc", "darwin", int(sys.argv[2]))
with parquet.written(Path(sys.argv[1]), "laps", place, AliasRow) as rows:
    rows._write()
    os.kill(os.getpid(), 9)
"""


async def test_an_export_that_is_killed_leaves_nothing_that_is_read(configured: None, tmp_path: Path) -> None:
    await exported(tmp_path, "darwin")
    before = read(tmp_path, "laps", "*")
    for year in ("2025", "2026"):  # over a file that is there, and where none was
        killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(tmp_path), year)
        assert await killed.wait() == -signal.SIGKILL
    assert [name for name in files_in(tmp_path) if "unfinished" in name]
    assert read(tmp_path, "laps", "*") == before
    await exported(tmp_path, "darwin")
    assert files_in(tmp_path) == [LOCK, parquet.FILE, parquet.FILE]


async def test_rows_are_held_no_longer_than_a_row_group(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROWS", 7)
    async with pool.acquire() as connection:
        track = await read_track(connection, track_id("liverc", "darwin"))
    assert track
    done = await export_tracks(pool, [track], tmp_path, lambda _: None)
    files = f"parquet_metadata('{tmp_path}/laps/**/*.parquet')"
    groups = asked(f"SELECT DISTINCT row_group_id, row_group_num_rows FROM {files}")
    sizes = [rows for _, rows in groups]
    assert sum(sizes) == done.laps
    assert max(sizes) == 7


async def test_what_cannot_be_exported_says_so(configured: None, tmp_path: Path) -> None:
    with pytest.raises(NothingToExport, match="nothing is stored"):
        await exported(tmp_path, "nowhere")
    with pytest.raises(WhatToExport, match="or give --all"):
        export(None, tmp_path, None, everything=False, as_json=False)
