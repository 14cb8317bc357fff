import datetime as dt
from collections.abc import Callable
from contextlib import suppress

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.pages import PageError, parse_day, parse_month, parse_session
from producer.pages.findings import Code
from schemas.events import MAX_FINDINGS, DayFacts, SessionFacts
from tests.unit.producer.pages.samples import URL, case_page, cases_list, day_page, row, session_page

SMALL = settings(max_examples=60)
LIST, DETAIL, RACE = cases_list("saved"), case_page("invalid_laps"), case_page("race_form", "saved")
KNOWN = {code.code for code in Code}


def check_day(body: bytes) -> DayFacts | None:
    """Facts within their bounds, whose totals agree when they are complete; or a PageError."""
    with suppress(PageError):
        facts = parse_day(body, url=URL)
        assert msgspec.json.decode(msgspec.json.encode(facts), type=DayFacts) == facts
        assert {finding.code for finding in facts.findings} <= KNOWN
        if facts.complete and facts.stats is not None:
            assert sum(each.lap_count or 0 for each in facts.sessions) == facts.stats.total_laps
        return facts
    return None


def check_session(body: bytes) -> SessionFacts | None:
    with suppress(PageError):
        facts = parse_session(body, url=URL, session_id="7")
        assert msgspec.json.decode(msgspec.json.encode(facts), type=SessionFacts) == facts
        assert len(facts.findings) <= MAX_FINDINGS
        assert len({each.lap_number for each in facts.laps}) == len(facts.laps)
        return facts
    return None


@st.composite
def mutations(draw: st.DrawFn, page: bytes) -> bytes:
    """The page with a few stretches replaced, dropped or doubled."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(page)))
        end = min(len(page), start + draw(st.integers(0, 400)))
        page = (
            page[:start]
            + draw(st.sampled_from([b"", page[start:end] * 2, draw(st.binary(max_size=20))]))
            + page[end:]
        )
    return page


@SMALL
@given(st.binary(max_size=2_000))
def test_random_bytes_are_no_page(body: bytes) -> None:
    parsers: list[Callable[[bytes], object]] = [check_day, check_session, lambda b: parse_month(b, url=URL)]
    for parse in parsers:
        with suppress(PageError):
            assert parse(body) is None


@SMALL
@given(mutations(LIST))
def test_a_mutated_list_is_refused_or_keeps_its_word(body: bytes) -> None:
    check_day(body)


@SMALL
@given(st.one_of(mutations(DETAIL), mutations(RACE)))
def test_a_mutated_session_is_refused_or_keeps_its_word(body: bytes) -> None:
    check_session(body)


@SMALL
@given(st.integers(0, len(LIST.rstrip()) - 1))
def test_no_part_of_a_list_is_a_list(end: int) -> None:
    assert check_day(LIST[:end]) is None


@SMALL
@given(st.integers(0, len(DETAIL.rstrip()) - 1))
def test_no_part_of_a_session_is_a_session(end: int) -> None:
    assert check_session(DETAIL[:end]) is None


@SMALL
@given(st.text(max_size=400), st.text(max_size=400), st.text(max_size=30), st.text(max_size=30))
def test_any_text_in_a_row_is_read_or_found(driver: str, kind: str, laps: str, fast: str) -> None:
    check_day(day_page(row(driver=driver, kind=kind, laps=laps, fast=fast)))


@SMALL
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()), st.lists, max_leaves=8
    )
)
def test_any_value_in_the_data_is_read_or_found(value: object) -> None:
    data = msgspec.json.encode(
        [{"x": "1", "lap_time": value, "date": value, "time": value, "is_valid": value}, {"x": value}]
    )
    check_session(session_page(f"var lapsObj = {data.decode()};"))
    race = msgspec.json.encode(
        {"laps": [{"lapNum": 1, "pos": value, "time": value, "pace": value, "segments": value}]}
    )
    check_session(session_page(f"racerLaps[4100000] = {race.decode()};"))


def test_depth_and_size_of_data_break_nothing() -> None:
    for script in (
        "var lapsObj = " + "[" * 100_000,
        "var lapsObj = " + "[" * 100_000 + "]" * 100_000 + ";",
        'var lapsObj = [{"x":' + "9" * 10_000 + "}];",
        'var lapsObj = [{"x":1,"lap_time":"\\ud800"}];',
        "racerLaps[1] = {laps:[]}\n" * 20_000,
    ):
        assert check_session(session_page(script)) is not None


def test_a_clock_at_the_end_of_time_breaks_nothing() -> None:
    body = (
        session_page().replace(b"October 25, 2025", b"December 31, 9999").replace(b"2:50:17pm", b"1:00:00am")
    )
    facts = check_session(body)
    assert facts is not None
    assert facts.date == dt.date.max
