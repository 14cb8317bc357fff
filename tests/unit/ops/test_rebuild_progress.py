"""How far a replay is, whatever time stamps its records have."""

import datetime as dt

import pytest

from ops.rebuild.replaying import Progress
from schemas.records import HeldRecord, time_of

NO_CALENDAR_HAS = 2**62


def record(timestamp: int) -> HeldRecord:
    return HeldRecord("days", 0, 0, timestamp, None, None, ())


def test_the_newest_time_stamp_is_kept() -> None:
    progress = Progress()
    progress.saw([record(2_000), record(1_000)])
    progress.saw([record(500)])
    assert (progress.done, progress.newest_at) == (3, dt.datetime(1970, 1, 1, 0, 0, 2, tzinfo=dt.UTC))


@pytest.mark.parametrize("timestamp", [-1, NO_CALENDAR_HAS])
def test_a_record_without_a_time_that_can_be_told_is_counted_all_the_same(timestamp: int) -> None:
    progress = Progress()
    progress.saw([record(timestamp)])
    assert (progress.done, progress.newest_at) == (1, None)
    assert time_of(timestamp) is None
