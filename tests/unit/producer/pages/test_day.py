import datetime as dt

import msgspec
import pytest

from producer.pages import NotThatPage, TooManyEntries, WrongDate, parse_day
from sandbox.sample_site.cases import cases_day
from sandbox.sample_site.generate import generate_day, real_shape_day
from sandbox.sample_site.model import DayQuirk
from sandbox.sample_site.month_page import LOOKED_AT
from sandbox.sample_site.render import Spelling, render_day_list, render_empty_day, render_month
from schemas.events import MAX_SESSIONS, DayFacts
from tests.unit.producer.pages.samples import (
    DATE,
    DAY,
    SESSIONS,
    SLUG,
    SPELLINGS,
    URL,
    cases_list,
    codes,
    day_page,
    page,
    read_day,
    row,
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_day_of_the_real_shape_is_complete_with_all_its_figures(spelling: Spelling) -> None:
    facts = read_day(render_day_list(real_shape_day(SLUG, DATE), spelling=spelling))
    assert facts.stats is not None
    assert (len(facts.sessions), facts.stats.total_laps, facts.complete) == (56, 487, True)
    assert (facts.stats.unique_drivers, facts.stats.unique_classes) == (9, 4)
    assert [each.laps for each in facts.stats.laps_by_class] == [221, 160, 77, 29]
    assert facts.stats.time_range_start == dt.time(10, 58, 33)
    assert facts.stats.leaderboard[0].class_name is None
    assert facts.findings == ()


def test_both_spellings_say_the_same() -> None:
    assert read_day(cases_list("served")) == read_day(cases_list("saved"))


def test_every_case_of_the_real_world_stands_in_its_row() -> None:
    rows = {each.session_id: each for each in read_day(cases_list()).sessions}
    for case in SESSIONS.values():
        found = rows[case.session_id]
        assert (found.driver_name, found.class_name) == (case.driver, case.class_name)
        assert (found.transponder_number, found.start_time) == (case.transponder, case.start)
        assert found.lap_count == sum(lap.is_valid for lap in case.laps)


def test_the_facts_of_every_case_keep_the_bounds_of_the_event() -> None:
    facts = read_day(cases_list())
    assert msgspec.json.decode(msgspec.json.encode(facts), type=DayFacts) == facts


def test_a_row_is_read_field_by_field() -> None:
    (session,) = read_day(day_page(row())).sessions
    assert session.session_url == "https://demo.example.org/practice/?p=view_session&id=7"
    assert (session.duration_seconds, session.fastest_lap, session.average_lap) == (508, 34.746, 56.437)


def test_an_address_of_a_foreign_host_is_never_taken_from_a_page() -> None:
    body = day_page(row().replace("/practice/?p", "https://evil.example.com/?p"))
    assert read_day(body).sessions[0].session_url == "https://demo.example.org/practice/?p=view_session&id=7"


def test_a_table_without_its_class_is_known_by_its_header() -> None:
    day = cases_day(SLUG, DATE, quirks=frozenset({DayQuirk.PLAIN_TABLE}))
    assert read_day(render_day_list(day)) == read_day(cases_list())


def test_a_duplicate_row_counts_once_and_is_a_finding() -> None:
    day = cases_day(SLUG, DATE, quirks=frozenset({DayQuirk.DUPLICATE_ROW}))
    facts = read_day(render_day_list(day))
    assert (len(facts.sessions), facts.complete, codes(facts)) == (
        len(DAY.sessions),
        True,
        ["duplicate_session", *codes(read_day(cases_list()))],
    )


def test_totals_that_the_rows_contradict_make_the_list_incomplete() -> None:
    day = cases_day(SLUG, DATE, quirks=frozenset({DayQuirk.WRONG_TOTALS}))
    facts = read_day(render_day_list(day))
    assert not facts.complete
    assert codes(facts) == ["total_laps_differ", "class_laps_differ", *codes(read_day(cases_list()))]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (day_page(row(), row(id="x", laps="0")), "unreadable_row"),
        (day_page(row(laps="many")), "total_laps_differ"),
        (day_page(row(), laps=""), "totals_missing"),
        (day_page(row(start="2025-10-25 16:36:39")), "last_session_differs"),
        (day_page(row(start="")), "first_session_differs"),
        (day_page(row(), chart='var data = [{"label":"Open","data":8}];'), "class_laps_differ"),
        (day_page(row(), chart='var data = [{"label":'), "class_laps_unreadable"),
        (day_page(row()).replace(b"Time Range", b"Time"), "totals_missing"),
        (
            day_page(
                row(driver="x" * 301, kind="y" * 301 + " (1)"), chart='var data = [{"label":"Open","data":9}]'
            ),
            "class_laps_differ",
        ),
    ],
)
def test_what_prevents_completeness_is_a_finding(body: bytes, code: str) -> None:
    facts = read_day(body)
    assert not facts.complete
    assert code in codes(facts)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (day_page(row(), drivers="2"), "unique_drivers_differ"),
        (day_page(row(), classes="2"), "unique_classes_differ"),
        (day_page(row(fast="fast")), "unreadable_value"),
        (day_page(row(length="8:61")), "unreadable_value"),
        (day_page(row(driver="x" * 301), drivers="0"), "text_too_long"),
        (
            day_page(
                row(),
                more='<table><tr><th>Open</th><td><a href="?p=view_session&id=7">1.0</a></td></tr></table>',
            ),
            "fastest_lap_differs",
        ),
        (
            day_page(row(), more='<table><tr><th>Open</th><td><a href="?p=x">1.0</a></td></tr></table>'),
            "unreadable_leader",
        ),
    ],
)
def test_other_disagreements_are_findings_only(body: bytes, code: str) -> None:
    facts = read_day(body)
    assert facts.complete
    assert codes(facts) == [code]


def test_a_page_without_totals_is_not_complete() -> None:
    body = day_page(row()).replace(b"table class=table", b"div").replace(b"Total Laps", b"")
    facts = read_day(body)
    assert (facts.complete, codes(facts), facts.stats) == (False, ["totals_missing"], None)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_day_without_practice_is_complete_and_empty(spelling: Spelling) -> None:
    facts = read_day(render_empty_day(SLUG, DATE, spelling=spelling))
    assert (facts.complete, facts.sessions, facts.stats, facts.findings) == (True, (), None, ())


def test_the_empty_days_text_elsewhere_is_no_empty_day() -> None:
    text = "There are no practice sessions available for the given date."
    title = "Demo :: Practice Sessions on October 25, 2025 (Saturday) :: LiveRC"
    for content in (
        f"<!-- {text} -->",
        f"<script>'{text}'</script>",
        f"<div class=panel>Bob says: {text}</div>",
    ):
        with pytest.raises(NotThatPage):
            read_day(page(title, content))


def test_the_months_empty_panel_is_an_empty_day_of_its_own_date_only() -> None:
    body = render_month(SLUG, "2025-10", {DATE: 3}, ["2025-10"])
    with pytest.raises(WrongDate, match="2026-02-02, not of 2025-10-25"):
        read_day(body)
    facts = read_day(body, LOOKED_AT)
    assert (facts.date, facts.complete, facts.sessions) == (LOOKED_AT, True, ())


def test_another_days_page_is_refused() -> None:
    with pytest.raises(WrongDate, match="2025-10-25, not of 2025-10-26"):
        read_day(cases_list(), DATE + dt.timedelta(days=1))
    with pytest.raises(WrongDate):
        read_day(render_empty_day(SLUG, DATE), DATE + dt.timedelta(days=1))


def test_a_row_of_another_day_costs_that_row_only() -> None:
    day = cases_day(SLUG, DATE, quirks=frozenset({DayQuirk.ROW_OF_ANOTHER_DAY}))
    facts = read_day(render_day_list(day))
    assert len(facts.sessions) == len(DAY.sessions) - 1
    assert not facts.complete
    finding = facts.findings[0]
    assert (finding.code, finding.found) == (
        "row_of_another_day",
        f"{DAY.sessions[0].session_id}: 2025-10-24 09:00:00",
    )


def test_an_empty_table_under_totals_that_say_laps_is_no_empty_day() -> None:
    day = cases_day(SLUG, DATE, quirks=frozenset({DayQuirk.NO_ROWS}))
    facts = read_day(render_day_list(day))
    assert (facts.complete, facts.sessions, codes(facts)[0]) == (False, (), "total_laps_differ")


def test_the_order_of_a_links_parameters_means_nothing() -> None:
    day = cases_day(SLUG, DATE, quirks=frozenset({DayQuirk.OTHER_LINKS}))
    for spelling in SPELLINGS:
        assert read_day(render_day_list(day, spelling=spelling)) == read_day(cases_list())


def test_a_transponder_of_two_names_is_a_finding() -> None:
    body = day_page(row(), row(id="8", driver="Bo Example"), row(id="9"), laps="27", drivers="2")
    facts = read_day(body)
    assert facts.complete
    assert [(each.code, each.found) for each in facts.findings] == [
        ("transponder_of_two_names", "4100000: Ann Example, Bo Example")
    ]


@pytest.mark.parametrize("other", ["Unknown Driver", "ANN EXAMPLE", ""])
def test_one_name_however_written_is_no_second_one(other: str) -> None:
    body = day_page(row(), row(id="8", driver=other), laps="18")
    assert codes(read_day(body)) == [] if other != "ANN EXAMPLE" else ["unique_drivers_differ"]


def test_a_heading_of_another_day_is_refused() -> None:
    with pytest.raises(WrongDate):
        read_day(day_page(row(), more="<h5 class=page-header>October 24, 2025 (Friday)</h5>"))


def test_a_page_that_names_no_day_is_refused() -> None:
    body = day_page(row()).replace(b" on October 25, 2025 (Saturday)", b"")
    with pytest.raises(NotThatPage, match="name no day"):
        parse_day(body, url=URL)


def test_more_sessions_than_an_event_may_carry_are_refused() -> None:
    rows = [row(id=str(number)) for number in range(MAX_SESSIONS + 1)]
    with pytest.raises(TooManyEntries):
        read_day(day_page(*rows))


def test_findings_are_bounded() -> None:
    facts = read_day(day_page(*(row(id="x") for _ in range(500))))
    assert (len(facts.findings), facts.findings[-1].code) == (200, "too_many_findings")
    assert not facts.complete


@pytest.mark.parametrize("seed", range(3))
def test_generated_days_are_complete(seed: int) -> None:
    day = generate_day(SLUG, DATE, seed=seed, sessions=40)
    facts = read_day(render_day_list(day))
    assert (facts.complete, facts.findings, len(facts.sessions)) == (True, (), 40)
