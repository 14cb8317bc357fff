"""Events as they were released, projected for ever: none is parked, and the tables hold what they say."""

from typing import Any

from ops.parked import queries as parked
from ops.parked.queries import Selection
from runtime.settings import Settings
from schemas.contract import released
from schemas.contract.asyncapi import OBSERVATIONS
from schemas.envelope import unpack
from schemas.events import Event, SessionDetailFetched
from schemas.identity import event_key
from schemas.lines import record_of
from schemas.versions import family
from store.pool import Pool
from tests.conftest import projecting
from tests.members import until
from tests.producers import producing

COUNTS = """
SELECT count(DISTINCT races.id), count(laps.lap_number)
FROM races
LEFT JOIN race_results ON race_results.race_id = races.id
LEFT JOIN laps ON laps.race_result_id = race_results.id
WHERE races.source_race_id = $1
"""

FAMILIES = {family(name)[0] for name in OBSERVATIONS}
"""The types of the event log, whatever their version."""

RECORDS = [
    record_of(line)
    for name, lines in released.examples().items()
    if family(name)[0] in FAMILIES
    for line in lines
]


def event_of(record: Any) -> Event:
    received = unpack(*record)
    assert received is not None
    return received.event


async def test_released_observations_are_projected(settings: Settings, pool: Pool) -> None:
    events = [event_of(record) for record in RECORDS]
    assert "liverc/canberraoffroad/2025-10-25" in {event_key(event) for event in events}
    async with producing(settings) as producer:
        for event, (headers, value) in zip(events, RECORDS, strict=True):
            await producer.send_and_wait(
                settings.topics.days, key=event_key(event).encode(), value=value, headers=list(headers)
            )
    details = {
        event.session_id: len(event.laps) for event in events if isinstance(event, SessionDetailFetched)
    }
    assert details

    async def stored() -> bool:
        async with pool.acquire() as connection:
            found = {one: await connection.fetchrow(COUNTS, one) for one in details}
        return {one: tuple(row or ()) for one, row in found.items()} == {
            one: (1, laps) for one, laps in details.items()
        }

    async with projecting(settings):
        await until(stored)
    async with pool.acquire() as connection:
        assert await parked.find(connection, Selection()) == []
