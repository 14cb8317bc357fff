"""The fastest laps of sessions: any order, any number of times, the same rows."""

import itertools
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given

from projections.state import EMPTY_DAY, Day, DayRef, Sighted, fold_days, merge_day, sight_of
from projections.track_records import FastestLapChanges, add_fastest_laps
from schemas.envelope import Received
from schemas.events import Event
from schemas.tables import FastestLapRow
from tests.events import fetched, listed, received, row
from tests.model.deliveries import Delivery, deliveries, trying
from tests.model.records import Laps, fastest_laps


class Memory:
    """The rows in memory, and what is known of each day."""

    def __init__(self) -> None:
        self._known: dict[DayRef, Day] = {}
        self._rows: dict[UUID, FastestLapRow] = {}

    def project(self, batch: Sequence[Received]) -> FastestLapChanges:
        changes = FastestLapChanges()
        for ref, day in fold_days(_sighted(batch)).items():
            old = self._known.get(ref, EMPTY_DAY)
            self._known[ref] = merge_day(old, day)
            add_fastest_laps(changes, ref, old, self._known[ref])
        for gone in changes.gone:
            del self._rows[gone]
        self._rows |= {one.id: one for one in changes.saved}
        return changes

    def laps(self) -> Laps:
        return {(one.event_id, one.session_id): one[4:] for one in self._rows.values()}


def _sighted(batch: Sequence[Received]) -> list[Sighted]:
    return [one for one in map(sight_of, batch) if one]


@pytest.mark.slow
@trying(200)
@given(deliveries())
def test_any_order_any_repetition_and_any_batches_leave_what_the_laws_say(delivery: Delivery) -> None:
    memory = Memory()
    for batch in delivery.batches:
        memory.project(batch)
    assert memory.laps() == fastest_laps(delivery.events)


@pytest.mark.slow
@trying(100)
@given(deliveries())
def test_what_was_applied_already_changes_nothing(delivery: Delivery) -> None:
    memory = Memory()
    memory.project(delivery.events)
    for batch in delivery.batches:
        assert memory.project(batch) == FastestLapChanges()


def in_any_order(*events: Event) -> dict[str, float]:
    """The fastest laps by session that these events leave: the same in each order, one by one and at once."""
    records = [received(event) for event in events]
    for order in itertools.permutations(records):
        for size in (1, len(order)):
            memory = Memory()
            for begin in range(0, len(order), size):
                memory.project(order[begin : begin + size])
            assert memory.laps() == fastest_laps(records)
    return {session_id: lap[1] for (_, session_id), lap in fastest_laps(records).items()}


def test_a_session_that_the_newest_complete_list_lacks_takes_its_lap_away() -> None:
    assert in_any_order(listed(1, row("1"), row("2")), fetched(2, "1"), listed(5, row("2"))) == {"2": 30.5}


def test_a_session_that_comes_back_has_its_lap_again() -> None:
    assert in_any_order(
        fetched(2, "1", fastest_lap=29.25), listed(5), listed(7, row("1", fastest_lap=None))
    ) == {"1": 29.25}


def test_a_corrected_lap_counts_also_when_it_is_slower() -> None:
    assert in_any_order(listed(1, row("1", fastest_lap=3.5)), fetched(2, "1", fastest_lap=33.5)) == {
        "1": 33.5
    }


@pytest.mark.parametrize("lap", [None, 0.0])
def test_a_session_without_a_lap_holds_no_record(lap: float | None) -> None:
    assert in_any_order(listed(1, row("1", fastest_lap=lap))) == {}
