"""Where rows come from, as far as no server is needed: keys, and which observation sets which column."""

import datetime as dt
import uuid
from typing import Any

import pytest

from ops.provenance.answer import TABLES, Kind, NoSuchRow, Table
from ops.provenance.keys import (
    FORMS,
    LONGEST,
    LapName,
    LastingName,
    SessionName,
    day_name,
    lap_name,
    lasting_name,
    session_name,
)
from ops.provenance.setters import FACTS, columns_of, existence_of
from projections.rows import session_rows
from projections.state import Day, DayRef, fold_days, sight
from projections.track_records import fastest_laps
from schemas.events import PracticeDayListed, SessionDetailFetched
from schemas.identity import event_id
from tests.events import DATE, fetched, listed, row

REF = DayRef("liverc", "track", DATE)
DAY = "liverc/track-practice-2025-10-25"
ID = uuid.UUID("8693b418-a0c4-4aec-9013-cfc4da023fd6")


@pytest.mark.parametrize(
    "text", [DAY, "track-practice-2025-10-25", "track/2025-10-25", "liverc/track/2025-10-25"]
)
def test_a_day_has_a_long_name_and_a_short_one(text: str) -> None:
    assert day_name("events", text) == REF


def test_a_track_may_be_called_as_days_are() -> None:
    slug = "a-practice-2024-01-01"
    assert day_name("events", f"liverc/{slug}-practice-2025-10-25") == REF._replace(track_slug=slug)


@pytest.mark.parametrize("day", [DAY, "track/2025-10-25"])
def test_a_session_is_named_with_or_without_its_driver(day: str) -> None:
    assert session_name("race_results", f"{day}/21") == SessionName(REF, "21")
    assert session_name("race_results", f"{day}/21/a/b") == SessionName(REF, "21", "a/b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("track/2025-10-25/21/3", LapName(SessionName(REF, "21"), 3)),
        (f"{DAY}/21/901/3", LapName(SessionName(REF, "21", "901"), 3)),
        (f"{DAY}/21/901, lap_number 3", LapName(SessionName(REF, "21", "901"), 3)),
        (f"{DAY}/21/a, lap_number 5, lap_number 3", LapName(SessionName(REF, "21", "a, lap_number 5"), 3)),
        (f"{ID}/3", LapName(ID, 3)),
        (f"{ID}, lap_number 3", LapName(ID, 3)),
    ],
)
def test_a_lap_is_named_as_reports_have_it_or_shorter(text: str, expected: LapName) -> None:
    assert lap_name(text) == expected


def test_tracks_and_drivers_are_of_the_site_unless_another_source_is_named() -> None:
    assert lasting_name("drivers", "901") == LastingName("liverc", "901")
    assert lasting_name("tracks", "other/track") == LastingName("other", "track")
    assert lasting_name("tracks", str(ID)) == ID


def read(table: Table, text: str) -> object:
    if table in {"tracks", "drivers"}:
        return lasting_name(table, text)
    if table == "laps":
        return lap_name(text)
    return day_name(table, text) if table == "events" else session_name(table, text)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("text", ["", "\0", "\udcff", "x" * (LONGEST + 1)])
def test_what_no_key_can_be_is_refused_with_the_forms_that_can(table: Table, text: str) -> None:
    with pytest.raises(NoSuchRow) as refused:
        read(table, text)
    assert FORMS[table] in str(refused.value)
    assert len(str(refused.value)) < 3 * LONGEST


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("events", "track"),
        ("events", "track/2025-13-25"),
        ("events", "track/2025-10-25/21"),
        ("races", "track/2025-10-25"),
        ("races", "track/2025-10-25/21/901"),
        ("laps", "track/2025-10-25/21"),
        ("laps", str(ID)),
        ("track_records.fastest_laps", "track/2025-10-25/21/901"),
    ],
)
def test_a_key_of_another_table_is_refused(table: Table, text: str) -> None:
    with pytest.raises(NoSuchRow):
        read(table, text)


def day_of(*events: PracticeDayListed | SessionDetailFetched) -> Day:
    [day] = fold_days([sight(event, event_id(event)) for event in events]).values()
    return day


def tables_of(day: Day) -> dict[Table, dict[str, Any]]:
    """The rows of session 1, by the projections' own code."""
    rows = session_rows(REF, day, "1")
    assert rows
    [fastest] = fastest_laps(REF, day)
    return {
        "races": rows.race._asdict(),
        "race_drivers": rows.driver._asdict(),
        "race_results": rows.result._asdict(),
        "track_records.fastest_laps": fastest._asdict(),
    }


OTHER = {
    "driver_name": "Another",
    "class_name": "Another",
    "transponder_number": "1",
    "start_time": dt.datetime(2025, 10, 25, 20, 0),
    "duration_seconds": 1,
    "lap_count": 1,
    "fastest_lap": 1.0,
    "average_lap": 1.0,
}
OTHER_ROW = OTHER | {"session_url": "https://another"}
OTHER_DETAIL = OTHER | {"end_time": dt.datetime(2025, 10, 25, 21, 0), "consistency": 1.0, "avg_top_5": 1.0}
SILENT = {"driver_name": None, "transponder_number": None, "fastest_lap": None}


@pytest.mark.parametrize("row_facts", [{}, SILENT], ids=["row states all", "row is silent"])
@pytest.mark.parametrize(
    "detail_facts", [{}, {"class_name": None}], ids=["detail states all", "detail is silent"]
)
@pytest.mark.parametrize("detail_second", [1, 3], ids=["older detail", "newer detail"])
def test_the_observation_that_is_named_is_the_one_whose_change_changes_the_column(
    row_facts: dict[str, Any], detail_facts: dict[str, Any], detail_second: int
) -> None:
    """Each fact that an observation states is exchanged: just the columns that name it become others."""
    zone = {"time_zone": "Australia/Sydney"}
    the_row, the_detail = row("1", **row_facts), fetched(detail_second, "1", **detail_facts)
    day = day_of(listed(2, the_row, **zone), the_detail)
    stated_row = {name: value for name, value in OTHER_ROW.items() if getattr(the_row, name) is not None}
    stated_detail = {name: value for name, value in OTHER_DETAIL.items() if name not in detail_facts}
    others: dict[Kind, Day] = {
        "list": day_of(listed(2, the_row, time_zone="Europe/Vienna"), the_detail),
        "row": day_of(listed(2, row("1", **row_facts | stated_row), **zone), the_detail),
        "detail": day_of(
            listed(2, the_row, **zone), fetched(detail_second, "1", **detail_facts | stated_detail)
        ),
    }
    before = tables_of(day)
    for kind, other in others.items():
        after = tables_of(other)
        for table, values in before.items():
            named = {
                name
                for group in columns_of(table, day, "1")
                for name in group.columns
                if kind in group.set_by
            }
            changed = {name for name in FACTS[table] if values[name] != after[table][name]}
            assert changed == named, (kind, table)


def test_every_column_that_is_no_part_of_the_key_is_told_of() -> None:
    of_key = {
        "races": {"id", "event_id", "source", "source_race_id"},
        "race_drivers": {"id", "race_id"},
        "race_results": {"id", "race_id", "position_final"},
        "track_records.fastest_laps": {"id", "event_id", "track_id", "session_id"},
    }
    tables = tables_of(day_of(listed(1, row("1")), fetched(2, "1")))
    assert {table: set(FACTS[table]) | of_key[str(table)] for table in tables} == {
        table: set(values) for table, values in tables.items()
    }


def test_a_session_without_a_page_is_set_by_its_row_and_its_list() -> None:
    day = day_of(listed(1, row("1", class_name=None)))
    found = {name: group.set_by for group in columns_of("races", day, "1") for name in group.columns}
    assert found["race_url"] == ("row",)
    assert found["class_name"] == found["race_metadata"] == ()


def test_a_session_exists_by_the_list_that_carries_it_or_by_what_is_newer() -> None:
    assert existence_of(day_of(listed(1, row("1"))), "1") == "list"
    assert existence_of(day_of(listed(1, row("1")), listed(2, row("2"))), "1") == "list"
    assert existence_of(day_of(listed(1), fetched(2, "1")), "1") == "detail"
    assert existence_of(day_of(listed(1), listed(2, row("1"), complete=False)), "1") == "row"
