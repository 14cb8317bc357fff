"""The state of the fleet as the observer sees it: what is parked, rebuilt, held back, at work, how large."""

import msgspec
import pytest

from ops.fleet.state import STATE, State, StateLooker
from ops.imports.follow import request
from producer import budget as sites
from producer.site import SOURCE
from runs import changes as run_changes
from runtime.database import database
from store.pool import Pool
from tests.api import settings_of
from tests.conftest import DAY, TRACK

SITE = "http://127.0.0.1/{track_slug}"

WHAT_HAPPENED = """
    INSERT INTO parked_records (group_name, topic, partition, record_offset, record_headers, code, reason)
    SELECT 'lists', 'topic', 0, n, '[]', 'bad_json', 'none' FROM generate_series(1, 3) AS n;
    UPDATE parked_records SET state = 'redriven', settled_at = now(), settled_by = 'test'
    WHERE record_offset = 1;
    INSERT INTO rebuilds (id, projection, purpose, state, shadow, paused, records_done, records_total)
    VALUES (gen_random_uuid(), 'practice-days', 'swap', 'replaying', 'a', false, 1, 4),
        (gen_random_uuid(), 'track-records', 'swap', 'replaying', 'b', true, 0, 0);
    UPDATE rebuilds SET moved_at = now() - interval '1 hour';
    INSERT INTO followed_days (
        source, track_slug, event_date, event_id, time_zone, live, ends_at, next_at, news_at, closed_at
    ) SELECT 'liverc', slug, '2025-10-25', gen_random_uuid(), 'UTC', live, now() + interval '1 day',
        now() - late, now(), CASE slug WHEN 'c' THEN now() END
    FROM (VALUES ('a', true, interval '1 minute'), ('b', false, '2 minutes'), ('c', true, '1 hour'))
        AS s (slug, live, late);
"""


async def test_the_state_is_looked_at_and_shown(dsn: str) -> None:
    async with database(settings_of(dsn), size=2) as pool:
        looker = StateLooker(pool, SITE, ["lists", "details"], ["practice_days"])
        quiet = shown(await looker.look())
        await happen(pool)
        found = await looker.look()
    assert quiet["lapstream_parked_waiting", "lists"] == 0
    assert quiet["lapstream_site_paused",] == quiet["lapstream_runs_open",] == 0
    now = shown(found)
    expected = {
        ("lapstream_parked_waiting", "lists"): 2,
        ("lapstream_parked_waiting", "details"): 0,
        ("lapstream_rebuilds", "replaying"): 1,
        ("lapstream_rebuilds", "paused"): 1,
        ("lapstream_rebuilds", "verified"): 0,
        ("lapstream_rebuild_progress_ratio", "practice-days"): 0.25,
        ("lapstream_rebuild_progress_ratio", "track-records"): 0,
        ("lapstream_rebuild_idle_seconds", "practice-days"): pytest.approx(3_600, abs=60),
        ("lapstream_site_paused",): 1,
        ("lapstream_site_backing_off_seconds",): pytest.approx(900, abs=60),
        ("lapstream_runs_open",): 1,
        ("lapstream_runs_failed_recent",): 1,
        ("lapstream_followed_days",): 1,
        ("lapstream_followed_days_late_seconds",): pytest.approx(120, abs=60),
    }
    assert {name: now.get(name) for name in expected} == expected
    assert ("lapstream_rebuild_idle_seconds", "track-records") not in now
    assert msgspec.json.decode(found, type=State).site_reason == "bot_check"
    assert now["lapstream_database_bytes",] > now["lapstream_table_bytes", "practice_days.laps"] > 0
    assert now["lapstream_table_bytes", "lapstream.outbox"] > 0


def shown(found: bytes) -> dict[tuple[str, ...], float]:
    """The series of a look, by the metric's name and its labels."""
    return {(one.family.name, *one.labels): one.value for one in STATE.series(found.decode())}


async def happen(pool: Pool) -> None:
    """Park records, rebuild, back off and pause; leave a run at work, and one that failed."""
    async with pool.acquire() as connection:
        await connection.execute(WHAT_HAPPENED)
        await sites.back_off(connection, SITE, 900, "bot_check")
        await connection.execute("UPDATE sites SET paused = true")
        for track in (TRACK, "another-track"):
            await run_changes.request(connection, request(SOURCE, track, DAY))
        await connection.execute(
            "UPDATE ingest_runs SET state = 'failed', finished_at = now() WHERE track_slug = 'another-track'"
        )
