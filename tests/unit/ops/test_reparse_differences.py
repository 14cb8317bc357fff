"""What differs between a day as it is known and as a page is read now."""

import datetime as dt
from typing import Any

import msgspec

from ops.reparse.differences import NUMBERS, FactsDifference, differences, taken
from ops.reparse.work import ParseTask
from projections.state import Day, DayRef, fold_days, sight
from schemas.events import DayStats, Observation, PracticeDayListed
from schemas.identity import event_id
from tests.events import DATE, fetched, laps, listed, row, seen

REF = DayRef("liverc", "track", DATE)


def day(*events: Observation) -> Day:
    """What is known by these events."""
    return fold_days([sight(event, event_id(event)) for event in events])[REF]


def found(old: Day, event: Observation, **reading: Any) -> list[FactsDifference]:
    """What differs by an event that was read again; `old` has its laps with it."""
    session_id = None if isinstance(event, PracticeDayListed) else event.session_id
    usual: dict[str, Any] = {
        "ref": REF,
        "url": "https://track.liverc.com/practice/",
        "sha256": "0" * 64,
        "observed_at": event.observed_at,
        "version": 1,
        "session_id": session_id,
    }
    read = day(event)
    known = {key: one.laps or () for key, one in old.details.items()}
    return differences(ParseTask(**(usual | reading)), read, taken(old, read), known)


def fields(difference: FactsDifference) -> dict[str, tuple[Any, Any]]:
    return {one.field: (one.old, one.new) for one in difference.fields}


def test_a_reading_of_the_same_facts_differs_in_nothing() -> None:
    old = day(listed(1, row("1")), fetched(1, "1"))
    assert found(old, fetched(1, "1", parser_version=2)) == []
    assert found(old, listed(1, row("1"), parser_version=2), rows=frozenset("1"), complete=True) == []


def test_fields_and_laps_are_named_with_what_they_were() -> None:
    old = day(fetched(1, "1", average_lap=None, laps=laps(4)))
    first, second, _ = laps(3)
    again = (first, msgspec.structs.replace(second, lap_time_seconds=9.0), laps(5)[-1])
    [one] = found(old, fetched(1, "1", parser_version=2, laps=again))
    assert (one.kind, one.session_id, one.is_new) == ("detail", "1", False)
    assert fields(one) == {"average_lap": (None, 31.0)}
    assert one.laps
    assert (one.laps.added.first, one.laps.changed.first, one.laps.gone.first) == ([5], [2], [3, 4])


def test_of_many_laps_the_first_are_named_and_all_are_counted() -> None:
    [one] = found(day(fetched(1, "1", laps=())), fetched(1, "1", parser_version=2, laps=laps(NUMBERS + 5)))
    assert one.laps
    assert (one.laps.added.count, one.laps.added.first) == (NUMBERS + 5, list(range(1, NUMBERS + 1)))


def test_what_was_not_known_is_new() -> None:
    [one] = found(day(listed(1, row("1"))), fetched(1, "1"), version=None)
    assert (one.is_new, one.fields, one.laps and one.laps.added.count) == (True, [], 3)


def test_what_something_newer_said_is_left_alone() -> None:
    old = day(fetched(2, "1", average_lap=None))
    assert found(old, fetched(1, "1", parser_version=2)) == []


def test_of_a_list_each_row_and_the_totals_are_compared() -> None:
    old = day(listed(1, row("1"), row("2", class_name=None)))
    again = listed(1, row("1"), row("2"), parser_version=2, stats=DayStats(total_laps=7))
    whole, one = found(old, again, rows=frozenset({"1", "2"}), complete=True)
    assert (whole.kind, whole.session_id, fields(whole)) == ("list", None, {"total_laps": (6, 7)})
    assert (one.kind, one.session_id, fields(one)) == ("row", "2", {"class_name": (None, "1/10 Open")})


def test_rows_that_a_list_has_not_any_more_are_named() -> None:
    old = day(listed(1, row("1"), row("2"), stats=None))
    again = listed(1, row("1"), parser_version=2, stats=None)
    lost, exists = found(old, again, rows=frozenset({"1", "2"}), complete=True)
    assert fields(lost) == {"rows": ({"count": 1, "first": ["2"]}, None)}
    assert fields(exists) == {"sessions": ({"count": 1, "first": ["2"]}, {"count": 0, "first": []})}


def test_a_list_that_is_not_complete_any_more_is_named() -> None:
    old = day(listed(1, row("1")))
    again = listed(1, row("1"), parser_version=2, complete=False)
    [one] = found(old, again, rows=frozenset("1"), complete=True)
    assert fields(one) == {"complete": (True, False)}


def test_the_same_parser_is_compared_and_says_nothing_new() -> None:
    old = day(fetched(1, "1", average_lap=None))
    again = fetched(1, "1")
    [one] = taken(old, day(again))
    assert one.says_else
    assert [fields(each) for each in found(old, again)] == [{"average_lap": (None, 31.0)}]


def test_a_newer_page_is_news() -> None:
    [one] = taken(day(fetched(1, "1")), day(fetched(2, "1")))
    assert (one.is_news, one.says_else, one.new.stamp.observed_at - seen(1)) == (
        True,
        False,
        dt.timedelta(seconds=1),
    )
