"""The embedded servers in a home, and with a cache, whose names hold every character that is allowed."""

import os
import shutil
from pathlib import Path

import asyncpg
import psutil
import pytest

from sandbox.embedded import jars, stack
from sandbox.embedded.java import ARCHIVE
from tests.homes import silent
from tests.integration.test_embedded_stack import consume, produce
from tests.odd_names import EVERYTHING


@pytest.fixture
def odd_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with a name of that kind, which holds the jars."""
    jars_now = jars.place(tmp_path)
    cache = tmp_path / f"{EVERYTHING} cache".replace("🏁", "")  # which Java can't read jars below
    monkeypatch.setattr(jars, "users_cache", lambda: cache)
    jars.jars(jars_now, report=silent)
    shutil.copytree(jars_now, cache / jars.NAME, ignore=shutil.ignore_patterns(f"*{ARCHIVE}"))
    return cache


async def test_both_servers_work_in_a_home_with_every_character(
    tmp_path: Path, odd_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")  # whatever the user's locale makes of the names of files
    home = tmp_path / EVERYTHING / ("é" * 100)
    (tmp_path / "link").symlink_to(home)
    monkeypatch.chdir(tmp_path)
    for place in (home, Path("link"), Path(EVERYTHING, "é" * 100)):
        addresses = stack.up(place, report=silent, durable=False)
        assert stack.status(place).running
    await produce(addresses, "odd", b"a lap")
    stack.restart(home, "kafka")
    assert starts_from_an_archive(home)
    assert await consume(addresses, "odd") == b"a lap"
    connection = await asyncpg.connect(addresses.postgres_dsn)
    assert await connection.fetchval("SHOW data_directory") == str(home / "postgres" / "data")
    await connection.close()
    assert stack.down(home)
    assert not stack.status(home).running
    stack.wipe(home)
    assert set(os.listdir(tmp_path)) == {EVERYTHING, odd_cache.name, "link"}  # noqa: PTH208 - see ASYNC240


def starts_from_an_archive(home: Path) -> bool:
    """Whether the broker has the archive that the one before it left in its memory."""
    kafka = stack.status(home).kafka
    assert kafka
    return any(file.path.endswith(ARCHIVE) for file in psutil.Process(kafka.pid).memory_maps())
