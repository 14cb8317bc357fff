"""Mutated records through the real broker: no consumer stops, and each record is accounted for."""

import msgspec

from runtime.settings import Settings
from tests.conftest import at, create_topics
from tests.fuzz import trial

RECORDS = 1_000


async def test_mutated_records_stop_nothing_and_are_accounted_for(settings: Settings) -> None:
    settings = at(settings, log_topics=trial.LOG)
    await create_topics(settings)
    outcome = await trial.run(settings, RECORDS, seed=1)
    for name, fate in outcome.fates.items():
        assert fate.adds_up, (name, msgspec.to_builtins(fate))
        assert fate.differing == [], name
        assert "projection_error" not in fate.parked, name
        assert fate.applied > fate.sent // 3
    days, records, pages = outcome.fates.values()
    assert days.sent + pages.sent == RECORDS
    assert days.parked == records.parked
