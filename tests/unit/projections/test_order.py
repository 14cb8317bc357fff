"""Any order, any number of times, the same tables: the row changes, applied in memory, against the model."""

import datetime as dt
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given

from projections.changes import Changes
from projections.precedence import SharedFacts
from schemas.envelope import Received
from schemas.events import Event, Lap, ListedSession, PracticeDayListed, SessionDetailFetched, SessionFacts
from schemas.identity import content_digest, row_digest, source_event_id
from tests.events import fetched, laps, listed, received, row
from tests.model.deliveries import Delivery, deliveries, trying
from tests.model.histories import FIRST_MOMENT
from tests.model.memory import Memory
from tests.model.reference import expected
from tests.model.tables import Row, Tables

PAGE = Path(__file__).parents[3] / "docs" / "ordering.md"


@pytest.mark.slow
@trying(300)
@given(deliveries())
def test_any_order_any_repetition_and_any_batches_leave_what_the_laws_say(delivery: Delivery) -> None:
    memory = Memory()
    for batch in delivery.batches:
        memory.project(batch)
    assert memory.tables() == expected(delivery.events)


@pytest.mark.slow
@trying(150)
@given(deliveries())
def test_what_was_applied_already_changes_nothing(delivery: Delivery) -> None:
    memory = Memory()
    memory.project(delivery.events)
    for batch in delivery.batches:
        assert memory.project(batch) == Changes()


SOURCES = ("liverc", "mylaps")
"""Those of the histories: with the same tracks, days, session ids and transponders."""


def of_source(tables: Tables, source: str) -> Tables:
    """The rows of one source: every natural key leads to it."""
    return {
        name: {key: row for key, row in rows.items() if source in _parts(key)}
        for name, rows in tables.items()
    }


def _parts(key: tuple[Any, ...]) -> Iterator[Any]:
    for part in key:
        if isinstance(part, tuple):
            yield from _parts(part)  # pyright: ignore[reportUnknownArgumentType] - keys in keys
        else:
            yield part


@pytest.mark.slow
@trying(150)
@given(deliveries())
def test_sources_never_mix(delivery: Delivery) -> None:
    """The rows of a source are those that its own events leave, whatever others say of the same names."""
    together = Memory()
    for batch in delivery.batches:
        together.project(batch)
    for source in SOURCES:
        alone = Memory()
        alone.project([one for one in delivery.events if one.event.source == source])
        assert of_source(together.tables(), source) == alone.tables()


@pytest.mark.slow
@trying(150)
@given(deliveries())
def test_where_two_topics_speak_of_a_subject_the_one_that_counts_more_is_believed(delivery: Delivery) -> None:
    """Of each list, row and detail the topic that counts most is kept, however new the others are."""
    most: dict[tuple[object, ...], int] = {}
    for one in delivery.events:
        for subject in subjects(one):
            most[subject] = max(most.get(subject, one.standing.authority), one.standing.authority)
    memory = Memory()
    for batch in delivery.batches:
        memory.project(batch)
    found = memory.tables()["observations"]
    assert {(*key[0], *key[1:]): row["authority"] for key, row in found.items()} == most


def subjects(one: Received) -> Iterator[tuple[object, ...]]:
    """What an event is an observation of: its day, and its kind, with the session of a row or a detail."""
    event = one.event
    if isinstance(event, PracticeDayListed):
        day = (event.source, source_event_id(event.track_slug, event.date))
        yield from [(*day, "list", None)] if event.complete else []
        yield from ((*day, "row", session.session_id) for session in event.sessions)
    elif isinstance(event, SessionDetailFetched):
        yield event.source, source_event_id(event.track_slug, event.date), "detail", event.session_id


def in_any_order(*events: Event) -> Tables:
    """The tables that these events leave: the same in each order, one by one, by twos and all at once."""
    return records_in_any_order(*map(received, events))


def records_in_any_order(*records: Received) -> Tables:
    tables = expected(records)
    for order in itertools.permutations(records):
        for size in {1, 2, len(order)}:
            memory = Memory()
            for begin in range(0, len(order), size):
                memory.project(order[begin : begin + size])
            assert memory.tables() == tables
    return tables


def only(tables: Tables, name: str) -> Row:
    [found] = tables[name].values()
    return found


def observation(tables: Tables, kind: str) -> Row:
    [found] = [seen for seen in tables["observations"].values() if seen["kind"] == kind]
    return found


def names(tables: Tables) -> dict[str, str | None]:
    """The drivers' names by their ids at the source."""
    return {one["source_driver_id"]: one["display_name"] for one in tables["drivers"].values()}


# found by hypothesis


def test_a_start_that_utc_has_no_moment_for_holds_up_no_list() -> None:
    """A detail from the calendar's first day, a list with a zone east of Greenwich: either may be late."""
    tables = in_any_order(listed(1, time_zone="Australia/Sydney"), fetched(2, "1", start_time=FIRST_MOMENT))
    assert (only(tables, "races")["start_time"], only(tables, "races")["start_time_utc"]) == (
        FIRST_MOMENT,
        None,
    )


def test_laps_that_an_event_has_out_of_order_lie_on_the_shelf_by_number() -> None:
    """Shelved at once they came as the event has them; taken from the tables, by number."""
    backwards = tuple(reversed(laps(3)))
    tables = in_any_order(listed(5), fetched(2, "1", laps=backwards))
    assert [lap["lap_number"] for lap in observation(tables, "detail")["shelved_laps"]] == [1, 2, 3]


def test_a_transponder_written_like_an_id_of_ours_gives_no_driver_two_transponders() -> None:
    """Session 1 has no transponder, and session 2 claims the id that session 1's driver has for that."""
    tables = in_any_order(
        listed(1, row("1", transponder_number=None), row("2", transponder_number="practice_session_1")),
        fetched(2, "1", transponder_number=None),
    )
    assert only(tables, "drivers")["transponder_number"] is None


# thought of


def test_a_session_that_comes_back_has_the_detail_that_came_while_it_was_gone() -> None:
    tables = in_any_order(
        listed(1, row("1")),
        fetched(2, "1", laps=laps(5)),
        listed(8),
        fetched(6, "1", laps=laps(2, 40.0)),
        listed(9, row("1")),
    )
    assert [lap["lap_time_seconds"] for lap in tables["laps"].values()] == [40.0, 40.0]


def test_a_session_that_is_gone_keeps_its_newest_laps_on_the_shelf() -> None:
    tables = in_any_order(
        listed(1, row("1")), fetched(2, "1", laps=laps(5)), listed(8), fetched(6, "1", laps=laps(2, 40.0))
    )
    assert (tables["races"], tables["laps"]) == ({}, {})
    assert len(observation(tables, "detail")["shelved_laps"]) == 2


def test_shelved_laps_come_back_under_another_driver() -> None:
    """While the session was gone, its transponder was corrected."""
    tables = in_any_order(
        listed(1, row("1", transponder_number="11")),
        fetched(2, "1", transponder_number="11"),
        listed(5),
        listed(7, row("1", transponder_number="22")),
    )
    assert [key[0][1][1] for key in tables["laps"]] == ["22", "22", "22"]
    assert observation(tables, "detail")["shelved_laps"] is None


def test_a_transponder_that_changes_twice_leaves_no_row_under_those_before() -> None:
    tables = in_any_order(
        fetched(2, "1", transponder_number="11"),
        listed(3, row("1", transponder_number="22"), complete=False),
        listed(4, row("1", transponder_number="33"), complete=False),
        fetched(1, "1", transponder_number="44"),
    )
    assert only(tables, "race_drivers")["source_driver_id"] == "33"
    assert only(tables, "race_results")["race_driver_id"][1] == "33"
    assert len(tables["laps"]) == 3
    assert sorted(names(tables)) == ["11", "22", "33", "44"]


def test_a_transponder_that_detail_and_list_both_lose_leaves_the_session_its_own_driver() -> None:
    tables = in_any_order(
        listed(1, row("1", transponder_number="11")),
        fetched(2, "1", transponder_number="11"),
        listed(3, row("1", transponder_number=" ")),
        fetched(4, "1", transponder_number=None),
    )
    assert only(tables, "race_drivers")["source_driver_id"] == "practice_session_1"
    assert len(tables["laps"]) == 3


def test_two_sessions_of_one_list_that_share_a_transponder_share_the_driver_with_one_name() -> None:
    """On the same moment of the same list the names decide; the sessions keep each its own."""
    tables = in_any_order(
        listed(
            1,
            row("1", transponder_number="11", driver_name="Ann"),
            row("2", transponder_number="11", driver_name="Bo"),
        ),
        listed(2, row("1", transponder_number="11", driver_name="Unknown Driver"), complete=False),
    )
    assert names(tables) == {"11": "Bo"}
    shown = {key[0][1]: one["display_name"] for key, one in tables["race_drivers"].items()}
    assert shown == {"1": "Unknown Driver", "2": "Bo"}


def test_a_real_name_stays_when_newer_pages_know_none() -> None:
    tables = in_any_order(
        listed(1, row("1", driver_name="Ann")),
        listed(3, row("1", driver_name="Unknown Driver")),
        fetched(4, "1", transponder_number="901", driver_name=None),
    )
    assert names(tables) == {"901": "Ann"}
    assert only(tables, "race_drivers")["display_name"] == "Unknown Driver"


def test_an_observation_that_loses_still_adds_its_driver_and_names_the_track() -> None:
    tables = in_any_order(
        listed(5, row("1", transponder_number="22"), track_name=None),
        listed(1, row("1", transponder_number="11"), track_name="Old Name", complete=False),
    )
    assert sorted(names(tables)) == ["11", "22"]
    assert only(tables, "tracks")["name"] == "Old Name"


def test_a_tracks_zone_is_that_of_the_list_that_names_it_also_when_it_has_none() -> None:
    tables = in_any_order(
        listed(1, row("1"), time_zone="Australia/Sydney"), listed(2, row("1"), complete=False)
    )
    assert only(tables, "tracks")["time_zone"] is None
    assert only(tables, "races")["start_time_utc"] == dt.datetime(2025, 10, 24, 23, tzinfo=dt.UTC)


def test_a_list_that_changes_nothing_but_its_zone_moves_every_session_in_utc() -> None:
    before = listed(1, row("1"), row("2"), time_zone="Australia/Sydney")
    after = listed(2, row("1"), row("2"), time_zone="America/New_York")
    tables = in_any_order(before, after, fetched(3, "3"))
    utc = {race["start_time_utc"] for race in tables["races"].values()}
    assert utc == {dt.datetime(2025, 10, 25, 14, tzinfo=dt.UTC)}
    tables = in_any_order(before, listed(2, row("1"), row("2")))
    assert {race["start_time_utc"] for race in tables["races"].values()} == {None}


def test_a_detail_newer_than_the_complete_list_that_lacks_its_session_makes_it_exist() -> None:
    tables = in_any_order(listed(1, row("1")), listed(5), fetched(6, "1"))
    assert len(tables["laps"]) == 3
    assert only(tables, "races")["race_url"] is not None


def test_a_row_of_an_incomplete_list_newer_than_the_complete_one_makes_its_session_exist() -> None:
    tables = in_any_order(fetched(2, "1"), listed(5), listed(6, row("1"), complete=False))
    assert len(tables["laps"]) == 3
    assert observation(tables, "detail")["shelved_laps"] is None


@pytest.mark.parametrize("count", range(6))
def test_a_list_and_a_detail_of_one_moment_are_weighed_by_their_content(count: int) -> None:
    empty, detail = listed(5), fetched(5, "1", laps=laps(count))
    tables = in_any_order(listed(1, row("1")), empty, detail)
    assert bool(tables["races"]) == (content_digest(detail) > content_digest(empty))


def test_a_newer_parser_wins_on_the_same_page_and_an_older_one_on_a_newer_page() -> None:
    first = fetched(5, "1", parser_version=1, laps=laps(1))
    again = fetched(5, "1", parser_version=2, laps=laps(2))
    assert len(in_any_order(first, again)["laps"]) == 2
    assert len(in_any_order(first, again, fetched(6, "1", laps=laps(3)))["laps"]) == 3


def test_of_a_session_that_a_list_has_twice_the_row_with_the_greater_digest_counts() -> None:
    rows = (row("1", lap_count=3), row("1", lap_count=4), row("1", lap_count=5))
    counts = {
        only(in_any_order(listed(1, *order)), "race_results")["laps_completed"]
        for order in itertools.permutations(rows)
    }
    assert counts == {max(rows, key=row_digest).lap_count}


def test_the_first_sight_is_remembered_whatever_comes_first() -> None:
    tables = in_any_order(
        listed(3, row("1")), listed(1, row("1"), complete=False), fetched(4, "1"), fetched(2, "1")
    )
    first = {
        kind: observation(tables, kind)["first_observed_at"].second for kind in ("list", "row", "detail")
    }
    assert first == {"list": 3, "row": 1, "detail": 2}


def test_the_first_sight_of_a_detail_whose_session_is_gone_leaves_its_laps_on_the_shelf() -> None:
    tables = in_any_order(listed(8), fetched(6, "1", laps=laps(4)), fetched(2, "1"))
    detail = observation(tables, "detail")
    assert (detail["first_observed_at"].second, len(detail["shelved_laps"])) == (2, 4)


def test_a_detail_without_laps_takes_the_laps_away() -> None:
    tables = in_any_order(listed(1, row("1")), fetched(2, "1", laps=laps(5)), fetched(3, "1", laps=()))
    assert tables["laps"] == {}


def test_segments_and_absent_facts_of_laps_survive_the_shelf_and_a_move() -> None:
    bare = Lap(lap_number=0)
    rich = Lap(lap_number=7, segments=(1e-07, None, 20.0), is_valid=False, lap_time_seconds=0.1)
    tables = in_any_order(
        fetched(2, "1", laps=(rich, bare)), listed(5), listed(7, row("1", transponder_number="22"))
    )
    assert [lap["segments_json"] for lap in tables["laps"].values()] == [[1e-07, None, 20.0], None]


def test_the_same_observation_under_two_ids_is_kept_under_one() -> None:
    """The ids in foreign envelopes are foreign: the greater one breaks the tie."""
    one = received(fetched(1, "1"))
    tables = records_in_any_order(one, msgspec.structs.replace(one, id="zz"), received(listed(2)))
    assert observation(tables, "detail")["source_event_id"] == "zz"


# the page about it


def facts_of(kind: type[msgspec.Struct]) -> set[str]:
    return set(kind.__struct_fields__) - {"session_id", "date", "findings"}


def test_the_page_on_ordering_has_each_fact_in_its_place() -> None:
    table = PAGE.read_text().partition("### Precedence")[2].partition("\n#")[0]
    cells = re.findall(r"^\| (`.*?) \| (.*?) \|$", table, re.MULTILINE)
    shared = facts_of(SharedFacts)
    assert [set(re.findall(r"`([^`]+)`", facts)) for facts, _ in cells] == [
        shared,
        facts_of(ListedSession) - shared,
        facts_of(SessionFacts) - shared,
    ]
    assert [setter[:14] for _, setter in cells] == ["the newer of r", "the row", "the detail"]
