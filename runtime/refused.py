"""Requests that the fetcher can't serve: each is parked, announced, and counts at once as its run's failure.

So a run ends as soon as nothing of it is left to wait for, with the cause, and not when it has stalled.
"""

from producer.members import Park
from runs import changes as run_changes
from runs.marks import Marks, marks_of_day_request, marks_of_session_request
from runs.refusals import refusal
from runs.reporting import report_ended
from runtime.settings import Settings
from store import parking
from store.parking import ParkedRecord, report_parked
from store.pool import Pool


def refusing(settings: Settings, pool: Pool) -> Park:
    """How the fetcher's groups park a request; raises `ParkingFull`."""

    async def park(group: str, record: ParkedRecord) -> None:
        async with pool.acquire() as connection, connection.transaction():
            await parking.park(connection, group, [record], settings.parking_limit)
            ended = await run_changes.mark(connection, _marks_of(settings, record), [refusal(record)])
        report_parked(group, record)
        report_ended(ended)

    return park


def _marks_of(settings: Settings, record: ParkedRecord) -> Marks:
    if record.topic == settings.topics.requests:
        return marks_of_day_request(record)
    return marks_of_session_request(record)
