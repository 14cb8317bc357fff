import datetime as dt
import json

import msgspec
import pytest

from producer.pages import NotThatPage, TooManyEntries, WrongSession
from sandbox.sample_site.model import SessionQuirk
from sandbox.sample_site.render import Spelling, render_unknown_session
from schemas.events import MAX_LAPS, SessionFacts
from tests.unit.producer.pages.samples import (
    DATE,
    SESSIONS,
    SPELLINGS,
    case_page,
    cases_list,
    codes,
    read_session,
    session_page,
)

FINDINGS = {
    "no_transponder_without_laps": ["lap_count_differs"],
    "text_only": ["laps_from_text"],
    "text_disagrees": ["lap_text_time_differs"],
}


def practice(*laps: dict[str, object]) -> str:
    return f"var lapsObj = {json.dumps(laps)};"


def lap(number: str, time: str = "42.996", valid: str = "1") -> dict[str, object]:
    return {"x": number, "lap_time": time, "date": "2025-10-25", "time": "14:44:10", "is_valid": valid}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", SESSIONS)
def test_each_case_is_read_as_it_was_driven(name: str, spelling: Spelling) -> None:
    case = SESSIONS[name]
    facts = read_session(case_page(name, spelling), case.start)
    assert (facts.driver_name, facts.class_name) == (case.driver, case.class_name)
    assert (facts.transponder_number, facts.start_time) == (case.transponder, case.start)
    assert codes(facts) == FINDINGS.get(name, [])
    if SessionQuirk.NO_LAPS_SHOWN not in case.quirks:
        assert [(each.lap_time_seconds, each.is_valid) for each in facts.laps] == [
            (each.millis / 1000, each.is_valid) for each in case.laps
        ]


@pytest.mark.parametrize("name", SESSIONS)
def test_both_spellings_say_the_same(name: str) -> None:
    assert read_session(case_page(name, "served")) == read_session(case_page(name, "saved"))


@pytest.mark.parametrize("name", SESSIONS)
def test_the_facts_keep_the_bounds_of_the_event(name: str) -> None:
    facts = read_session(case_page(name))
    assert msgspec.json.decode(msgspec.json.encode(facts), type=SessionFacts) == facts


def test_the_statistics_are_the_pages() -> None:
    facts = read_session(case_page("usual"))
    assert (facts.lap_count, facts.duration_seconds, facts.fastest_lap) == (5, 229, 42.996)
    assert (facts.average_lap, facts.avg_top_5, facts.avg_top_10) == (45.815, 45.815, None)
    assert (facts.top_3_consecutive, facts.std_deviation, facts.consistency) == (132.913, 2.109, 95.396)
    assert facts.valid_lap_range == (15.0, 130.0)


def test_an_end_before_the_start_is_on_the_next_day() -> None:
    facts = read_session(case_page("past_midnight"))
    assert facts.end_time is not None
    assert facts.end_time.date() == DATE + dt.timedelta(days=1)


def test_the_sum_of_lap_times_is_unknown_after_an_unreadable_one() -> None:
    facts = read_session(session_page(practice(lap("1"), lap("2", "?"), lap("3")), num_laps="3"))
    assert [each.elapsed_race_time for each in facts.laps] == [42.996, None, None]
    assert (facts.laps[1].lap_time_raw, facts.laps[1].lap_time_seconds) == ("?", None)
    assert codes(facts) == ["unreadable_value"]


def test_a_lap_ends_at_the_moment_that_the_data_says() -> None:
    facts = read_session(session_page(practice(lap("1")), num_laps="1"))
    assert facts.laps[0].lapped_at == dt.datetime(2025, 10, 25, 14, 44, 10)
    assert facts.laps[0].lap_time_raw == "42.996"


def test_the_race_form_brings_positions_paces_and_segments() -> None:
    laps = read_session(case_page("race_form")).laps
    assert (laps[0].position_on_lap, laps[0].pace_string) == (1, "7/5:00.972")
    assert laps[0].segments == (14.332, 14.332, 14.332)
    assert [each.is_valid for each in laps] == [True] * 5


def test_of_several_cars_the_sessions_own_counts() -> None:
    cars = 'racerLaps[1] = {"laps":[]}; racerLaps[4100000] = {"laps":[{"lapNum":"1","time":"9.5"}]};'
    facts = read_session(session_page(cars, num_laps="1"))
    assert [each.lap_time_seconds for each in facts.laps] == [9.5]
    facts = read_session(session_page(cars, num_laps="0", transponder="2"))
    assert codes(facts) == ["race_laps_ambiguous"]


def test_a_name_that_looks_like_lap_data_is_a_name() -> None:
    name = 'var lapsObj = [{"x":"9","lap_time":"1.0"}];'
    cars = f'racerLaps[4100000] = {{"driverName":{json.dumps(name)},"laps":[{{"lapNum":"1","time":"9.5"}}]}};'
    facts = read_session(session_page(cars, num_laps="1", Driver=name))
    assert [(each.lap_number, each.lap_time_seconds) for each in facts.laps] == [(1, 9.5)]


@pytest.mark.parametrize(
    ("script", "spans", "expected"),
    [
        (practice(lap("1"), lap("1", "50.0")), "", ["duplicate_lap", "lap_count_differs"]),
        (practice(lap("one"), lap("2")), "", ["unreadable_lap", "lap_count_differs"]),
        (practice(lap("1"), lap("2", valid="?")), "", ["unreadable_value"]),
        (practice(lap("1"), lap("2", "1" * 41)), "", ["text_too_long"]),
        (
            "var lapsObj = [{;",
            "<span>Lap 1: 1.0</span><span>Lap 2: 1.0</span>",
            ["lap_data_unreadable", "laps_from_text"],
        ),
        (
            "",
            "<span>Lap 1: 1.0</span><span>Lap two</span>",
            ["laps_from_text", "unreadable_lap", "lap_count_differs"],
        ),
        (practice(lap("1"), lap("2")), "<span>Lap 1: 42.996</span>", ["lap_text_count_differs"]),
        (
            practice(lap("1"), lap("2")),
            "<span>Lap 1: 42.996*</span><span>Lap 2: 42.996</span>",
            ["lap_text_validity_differs"],
        ),
    ],
)
def test_what_disagrees_or_can_not_be_read_is_a_finding(script: str, spans: str, expected: list[str]) -> None:
    facts = read_session(session_page(script, spans))
    found = codes(facts)
    assert sorted(set(found)) == sorted(expected)


def test_a_formatters_literal_gives_the_same_laps() -> None:
    entry = 'x: "1", lap_time: "42.996", date: "2025-10-25", time: "14:44:10", is_valid: "1",'
    saved = f"var lapsObj = [\n  {{ {entry} }},\n]\n"
    assert read_session(session_page(saved, num_laps="1")) == read_session(
        session_page(practice(lap("1")), num_laps="1")
    )


def test_another_sessions_page_is_refused() -> None:
    start = SESSIONS["usual"].start
    with pytest.raises(WrongSession, match="not at"):
        read_session(case_page("usual"), start + dt.timedelta(seconds=1))
    with pytest.raises(WrongSession, match="not on 2025-10-25"):
        read_session(session_page().replace(b"October 25", b"October 26"))
    with pytest.raises(WrongSession):
        read_session(session_page().replace(b"at 2:43:27pm", b"at 2:43:28pm"), start)


def test_a_title_that_disagrees_with_the_table_is_a_finding() -> None:
    facts = read_session(session_page(num_laps="0").replace(b"at 2:43:27pm", b"at 2:43:28pm"))
    assert codes(facts) == ["title_disagrees"]


def test_an_unknown_session_is_not_that_page() -> None:
    with pytest.raises(NotThatPage, match="no session by this id"):
        read_session(render_unknown_session("Demo"))


def test_a_day_list_is_no_session() -> None:
    with pytest.raises(NotThatPage):
        read_session(cases_list())


def test_a_page_that_says_no_moment_is_refused() -> None:
    body = session_page().replace(b"October 25, 2025", b"some day")
    with pytest.raises(NotThatPage, match="says when"):
        read_session(body)


def test_more_laps_than_an_event_may_carry_are_refused() -> None:
    with pytest.raises(TooManyEntries):
        read_session(session_page(practice(*(lap(str(number)) for number in range(MAX_LAPS + 1)))))
