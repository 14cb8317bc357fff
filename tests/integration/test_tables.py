"""Tables of the command line: in 80 columns nothing is cut off, and no id, date or state is broken."""

import re
from collections import Counter
from pathlib import Path

import pytest

from lapstream.cli.output import out
from runtime.settings import Settings
from sandbox.sample_site.day_list import render_day_list
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from store.pool import Pool
from tests.commands import invoked
from tests.conftest import working
from tests.events import DATE

TRACK = "a-track-with-a-rather-long-name"
FILLED = """
UPDATE races SET class_name = 'Modified Stock Buggy Truggy Sportsman';
UPDATE race_drivers SET display_name = 'Bartholomew Featherstonehaugh-Cholmondeley the Third';
INSERT INTO rebuilds
    (id, projection, purpose, state, paused, shadow, records_done, records_total, newest_record_at)
VALUES (gen_random_uuid(), 'practice-days', 'verify', 'catching_up', true, 's', 1234567, 7654321, now());
INSERT INTO parked_records (group_name, topic, partition, record_offset, record_headers, code, reason)
SELECT name || '-of-a-group-with-a-long-name', 'practice-days', 0, 1234567, '[]', 'unknown_specversion',
    'a rather long reason that no terminal has the room to show in one line of a table'
FROM unnest('{one,two,three}'::text[]) AS name;
INSERT INTO api_keys (id, name, token_sha256, scopes, revoked_at)
VALUES (gen_random_uuid(), 'a-front-end-of-a-club-with-a-long-name', sha256('a'), '{read,ingest}', now());
"""

UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
AGE = re.compile(r"\d+\.\d\s+s\b")
WHOLE = re.compile(
    r"\d{4}-\d\d-\d\d|\d\d:\d\d(?::\d\d)?|\b\d[\d,]{6,}|\b(?:completed|parked|catching_up|paused|yes|equal)\b"
)
"""What stays in one piece: dates, times, long numbers and states."""

BORDERS = set("┏┳┓┡╇┩└┴┘├┼┤┃│━─ \n")


@pytest.fixture
async def filled(settings: Settings, pool: Pool, site: SampleSite, tmp_path: Path) -> None:
    """A day that was imported, and a row or two of everything that is listed."""
    day = generate_day(TRACK, DATE, seed=1, sessions=3)
    site.put(day)
    (tmp_path / "day.html").write_bytes(render_day_list(day))
    async with working(settings):
        assert (await ran(settings, "ingest", TRACK, str(DATE)))[0] == 0
    assert (await ran(settings, "log", "export", str(tmp_path / "copy")))[0] == 0
    async with pool.acquire() as connection:
        await connection.execute(FILLED)


async def ran(settings: Settings, *words: str) -> tuple[int, str]:
    """How a command ends, and what it prints on stdout."""
    result = await invoked(settings, *words)
    return result.exit_code, result.stdout


def contents(said: str) -> Counter[str]:
    """The characters that are no borders; an id, or an age, which each look changes, counts as one."""
    masked = AGE.sub("~", UUID.sub("#", said))
    return Counter(character for character in masked if character not in BORDERS)


COMMANDS = {
    "backfill": (TRACK, "--from", f"{DATE:%Y-%m}", "--to", f"{DATE:%Y-%m}", "--dry-run"),
    "compare": ("{session}", "{driver}", "{driver}", "{session}"),
    "config": (),
    "day": (TRACK, str(DATE)),
    "digest": (),
    "days": (),
    "drivers": (),
    "drivers --sessions": ("{driver}",),
    "laps": ("--track", TRACK, "--date", str(DATE)),
    "records": (TRACK, "--history"),
    "discover": (TRACK, f"{DATE:%Y-%m}"),
    "keys list": (),
    "lag": (),
    "log check": ("{folder}/copy",),
    "parked list": (),
    "parse day": ("{folder}/day.html", "--date", str(DATE)),
    "rebuild status": (),
    "runs list": (),
    "runs show": ("{run}",),
    "site status": (),
    "topics check": (),
}


async def test_tables_fit_80_columns_and_cut_nothing(
    filled: None, settings: Settings, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with pool.acquire() as connection:
        ids = {
            "run": await connection.fetchval("SELECT id FROM ingest_runs"),
            "session": await connection.fetchval("SELECT min(source_race_id) FROM races"),
            "driver": await connection.fetchval("SELECT min(source_driver_id) FROM drivers"),
        }
    monkeypatch.setattr(out, "_force_terminal", True)
    for command, arguments in COMMANDS.items():
        words = [*command.split(), *(one.format(folder=tmp_path, **ids) for one in arguments)]
        said: dict[int, str] = {}
        for width in (400, 80):
            monkeypatch.setattr(out, "width", width)
            code, said[width] = await ran(settings, *words)
            assert code == 0, (command, said[width])
        wide, narrow = said[400], said[80]
        drawn = [line for line in narrow.splitlines() if line and line[0] in BORDERS]
        assert max(map(len, drawn), default=0) <= 80, (command, narrow)
        assert not contents(wide) - contents(narrow), (command, narrow)
        assert "…" not in narrow, (command, narrow)
        for form in (UUID, WHOLE):
            assert len(form.findall(narrow)) >= len(form.findall(wide)), (command, narrow)
