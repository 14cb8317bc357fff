"""Events of the first and of the present version of a type in one log, and roles that know only the first."""

import msgspec
import pytest

from ops.parked import queries as parked
from ops.parked.queries import Selection
from ops.parked.redrive import Redrive
from runtime.settings import Settings
from schemas import envelope
from schemas.events import EVENT_TYPES, EventAsWritten, SessionDetailFetched
from store.pool import Pool
from tests.conftest import projecting
from tests.events import as_v1, fetched, listed, row
from tests.integration.test_rebuild import rebuilt
from tests.members import send, tables, undisturbed, until_at

EVENTS: tuple[EventAsWritten, ...] = (
    listed(1, row("1"), row("2"), row("3")),
    as_v1(fetched(2, "1")),
    fetched(3, "2", valid_lap_range=(15.0, 130.0)),
    as_v1(fetched(4, "3"), "any"),
    fetched(5, "1", valid_lap_range=(15.5, 120.25)),
    as_v1(fetched(6, "2"), "20 to 1:10"),
    as_v1(fetched(6, "4"), "15,5 to 2:00.25"),
)
RANGES = {"1": [15.5, 120.25], "2": [20.0, 70.0], "3": None, "4": [15.5, 120.25]}


async def ranges(pool: Pool) -> dict[str, list[float] | None]:
    """The lap range of each session, in both places that have it."""
    query = """
        SELECT s.source_race_id AS id, r.raw_fields_json ->> 'valid_lap_range' AS result,
            s.race_metadata -> 'practiceSessionStats' ->> 'valid_lap_range' AS race
        FROM races AS s JOIN race_results AS r ON r.race_id = s.id
    """
    async with pool.acquire() as connection:
        rows = await connection.fetch(query)
    assert [one["result"] for one in rows] == [one["race"] for one in rows]
    return {one["id"]: msgspec.json.decode(one["result"] or "null") for one in rows}


async def test_both_versions_side_by_side(settings: Settings, pool: Pool) -> None:
    await send(settings, EVENTS)
    async with projecting(settings):
        await until_at(pool, settings, len(EVENTS))
    found = await tables(pool)
    assert await ranges(pool) == RANGES
    assert (await rebuilt(settings, "verify")).equal
    assert (await rebuilt(settings, "swap")).equal
    assert (await rebuilt(settings, "verify")).equal
    assert await tables(pool) == found
    assert await undisturbed(pool, reversed(EVENTS)) == found


async def test_a_role_that_knows_only_the_first_version_parks_the_second(
    settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(settings, EVENTS)
    with monkeypatch.context() as patch:
        # not taken out of the dict: put back, it would be the last one
        before = {name: kind for name, kind in EVENT_TYPES.items() if kind is not SessionDetailFetched}
        patch.setattr(envelope, "EVENT_TYPES", before)
        async with projecting(settings):
            await until_at(pool, settings, len(EVENTS))
    async with pool.acquire() as connection:
        heads = await parked.find(connection, Selection())
    assert [(one.code, one.at.offset) for one in heads] == [("unknown_version", 2), ("unknown_version", 4)]
    assert (await ranges(pool))["1"] == [20.0, 70.0]
    outcomes = await Redrive(pool, settings.broker, settings.topics, "a test").redrive(heads, lambda _: None)
    assert all(one.redriven for one in outcomes)
    assert await ranges(pool) == RANGES
    assert (await rebuilt(settings, "verify")).equal
