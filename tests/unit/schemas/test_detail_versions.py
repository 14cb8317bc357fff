"""`session_detail.fetched`: version 1 goes on as version 2, and is kept as the releases of then kept it."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.observations import detail_facts, observation
from projections.rows import session_rows
from projections.state import DayRef, fold_days, sight_of
from schemas.contract import released
from schemas.envelope import Context, Received, pack, unpack
from schemas.events import SessionDetailFetched, SessionDetailFetchedV1
from schemas.headers import BadRecord
from schemas.identity import event_id
from schemas.lines import record_of
from schemas.tables import ObservationRow
from schemas.times import lap_range, lap_range_text
from tests.events import DATE, as_v1, fetched

ID = UUID(int=1)


def read(event: SessionDetailFetched | SessionDetailFetchedV1) -> Received:
    record = pack(event, Context(source="test"))
    found = unpack(record.headers, record.value)
    assert found is not None
    return found


def kept(received: Received) -> ObservationRow:
    """The row of `observations` that a detail becomes."""
    sighted = sight_of(received)
    assert sighted is not None
    [day] = fold_days([sighted]).values()
    [detail] = day.details.values()
    return observation("detail", ID, ID, detail)


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("20 to 1:10", (20.0, 70.0)),
        ("15,5 to 2:00.25", (15.5, 120.25)),
        ("0 to 1440:00", (0.0, 86_400.0)),
        ("1:10 to 20", None),
        ("any", None),
        ("", None),
        (None, None),
    ],
)
def test_the_text_of_version_1_becomes_two_numbers(text: str | None, bounds: Any) -> None:
    old, new = as_v1(fetched(1, "1"), text), fetched(1, "1", valid_lap_range=bounds)
    found = read(old)
    assert (found.event, found.written) == (new, old)
    assert (found.id, event_id(old) == event_id(new)) == (event_id(old), False)


@pytest.mark.parametrize("bounds", [(70.0, 20.0), (20.0, 86_400.001), (-1.0, 20.0), (20.0,), "20 to 1:10"])
def test_a_range_that_is_none_is_refused(bounds: Any) -> None:
    with pytest.raises(BadRecord, match="valid_lap_range") as caught:
        read(fetched(1, "1", valid_lap_range=bounds))
    assert caught.value.code == "invalid_event"


def test_a_record_of_version_1_is_kept_as_the_releases_of_then_kept_it() -> None:
    """The digest and the facts are those that the release before version 2 gave this very record."""
    [line] = released.examples()["session_detail.fetched.v1"]
    received = unpack(*record_of(line))
    assert received is not None
    row = kept(received)
    assert row.content_digest == "e1ca0c96ec96dcb9f6352ef42b79d34f"
    assert row.facts == (
        '{"date":"2025-10-25","session_id":"21290331","driver_name":"Abel Thornwick",'
        '"class_name":"1/10 Open","transponder_number":"9781201","start_time":"2025-10-25T16:36:38",'
        '"end_time":"2025-10-25T16:38:10.073000","duration_seconds":92,"lap_count":3,"fastest_lap":30.418,'
        '"average_lap":30.691,"top_3_consecutive":92.073,"std_deviation":0.24,"consistency":99.218,'
        '"valid_lap_range":"20 to 1:10"}'
    )


def test_both_versions_are_kept_alike_and_give_the_same_rows() -> None:
    ref = DayRef("liverc", "track", DATE)
    old, new = (
        read(as_v1(fetched(1, "1"), "15.5 to 2:00.25")),
        read(fetched(1, "1", valid_lap_range=(15.5, 120.25))),
    )
    assert kept(old).facts == kept(new).facts
    days = [fold_days([one])[ref] for one in map(sight_of, (old, new)) if one]
    first, second = (session_rows(ref, day, "1") for day in days)
    assert first == second


millis = st.integers(0, 86_400_000).map(lambda number: number / 1_000)


@given(st.tuples(millis, millis).map(sorted))
def test_what_is_kept_of_a_range_is_read_as_it_was(bounds: list[float]) -> None:
    assert lap_range(lap_range_text((bounds[0], bounds[1]))) == tuple(bounds)


@given(st.tuples(st.floats(0, 86_400), st.floats(0, 86_400)).map(sorted))
def test_a_range_is_kept_to_the_millisecond(bounds: list[float]) -> None:
    row = kept(read(fetched(1, "1", valid_lap_range=(bounds[0], bounds[1]))))
    assert detail_facts(row.facts).valid_lap_range == tuple(round(one, 3) for one in bounds)
