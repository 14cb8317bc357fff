"""The forms that real pages were seen in: one small page each, with the right reading of it."""

import datetime as dt
import json
from collections.abc import Callable

import pytest

from producer.pages import (
    BotCheck,
    MonthPage,
    NotThatPage,
    PageError,
    WrongDate,
    parse_day,
    parse_month,
    parse_session,
)
from tests.unit.producer.pages.samples import (
    DATE,
    HEAD,
    URL,
    codes,
    day_page,
    page,
    read_day,
    read_session,
    row,
    session_page,
)

NOTHING = "There are no practice sessions available for the given date."
NEVER = "There are no synched up practice sessions."
DAY_TITLE = "Demo Club :: Practice Sessions on October 25, 2025 (Saturday) :: LiveRC"
MONTH_TITLE = "Demo Club :: Practice Sessions for October 2025 :: LiveRC"
DAY = '<tr><td><a href="/practice/?{0}">{1}</a></td><td><a href="/practice/?{0}">{2}</a></td></tr>'
DAYS = "".join(
    DAY.format(link, text, count)
    for link, text, count in (
        ("p=session_list&d=2025-10-25", "Sat, Oct 25, 2025", 56),
        ("d=2025-10-12&p=session_list", "Sun, Oct 12, 2025", 2),
    )
)
HEADER = "<tr><th>Date</th><th># Sessions</th></tr>"


def month_page(table: str, title: str = MONTH_TITLE) -> bytes:
    choice = (
        '<select id="available_session_months"><option value="2025-11">November 2025</option>'
        '<option value="2025-10" selected="selected">October 2025</option></select>'
    )
    panel = f'<div class="panel"><div class="panel-body no_padding">{NOTHING}</div></div>'
    return page(title, choice + table + panel)


@pytest.mark.parametrize(
    "table",
    [
        f"<table><tbody>{HEADER}{DAYS}</tbody></table>",
        f"<table><thead>{HEADER}</thead><tbody>{DAYS}</tbody></table>",
        f"<table>{HEADER}{DAYS}</table>",
        f"<table><tbody>{DAYS}</tbody><tfoot>{HEADER}</tfoot></table>",
        f"<table>{HEADER.replace('th>', 'td>')}{DAYS}</table>",
        f"<table><thead>{HEADER}</thead><tfoot>{HEADER}</tfoot><tbody>{HEADER}{DAYS}</tbody></table>",
        f"<table><tr><td><table><tbody>{HEADER}{DAYS}</tbody></table></td></tr></table>",
        f"<table><tr><th>Date</th><th>Track</th></tr></table><table>{HEADER}{DAYS}</table>",
    ],
    ids=["tbody", "thead", "no part", "tfoot", "td", "all parts", "layout table", "second table"],
)
def test_a_month_is_known_by_its_header_wherever_that_lies(table: str) -> None:
    facts = parse_month(month_page(table), url=URL, year_month="2025-10")
    assert {str(day.date): day.sessions for day in facts.days} == {"2025-10-25": 56, "2025-10-12": 2}
    assert (facts.year_month, facts.months, facts.findings) == ("2025-10", ("2025-11", "2025-10"), ())


ROWS = row() + row(id="8", start="2025-10-25 16:36:00")


@pytest.mark.parametrize(
    "table",
    [
        f"<table><tbody><tr>{HEAD}</tr>{ROWS}</tbody></table>",
        f"<table><thead><tr>{HEAD}</tr></thead><tbody>{ROWS}</tbody></table>",
        f"<table><tbody>{ROWS}</tbody><tfoot><tr>{HEAD}</tr></tfoot></table>",
        f"<table><tr>{HEAD.replace('th>', 'td>')}</tr>{ROWS}</table>",
        f"<table><thead><tr>{HEAD}</tr>{ROWS}</thead></table>",
        f"<table><tr><td><table><tr>{HEAD}</tr>{ROWS}</table></td></tr></table>",
    ],
    ids=["tbody", "thead", "tfoot", "td", "all in thead", "layout table"],
)
def test_a_day_is_known_by_its_header_wherever_that_lies(table: str) -> None:
    facts = read_day(page(DAY_TITLE, table))
    assert [each.session_id for each in facts.sessions] == ["7", "8"]
    assert codes(facts) == ["totals_missing"]


def test_a_session_is_known_by_its_headings_wherever_they_lie() -> None:
    expected = read_session(session_page())
    for part in ("thead", "tfoot", "x-none"):
        body = session_page().replace(b"tbody", part.encode())
        assert read_session(body) == expected
    nested = (
        session_page()
        .replace(b"<table", b"<table><tr><td><table", 1)
        .replace(b"</table>", b"</table></td></tr></table>", 1)
    )
    assert read_session(nested) == expected


def named(title: str = "", heading: str = "", panel: str = "") -> tuple[str, str]:
    """Title and content of a page without practice that names the day in these places."""
    over = f'<h5 class="page-header">{heading}</h5>' if heading else ""
    head = f'<div class="panel-heading"><i></i> {panel}</div>' if panel else ""
    text = f'<div class="panel-body no_padding">\n {NOTHING}\n</div>'
    return title or "Demo Club :: LiveRC", f'{over}<div class="panel panel-default">{head}{text}</div>'


SAID = "Practice Sessions on October 25, 2025 (Saturday)"


@pytest.mark.parametrize(
    ("title", "content"),
    [
        named(title=DAY_TITLE),
        named(heading="October 25, 2025 (Saturday)"),
        named(panel=SAID),
        named(title=MONTH_TITLE, panel=SAID),
        named(title="Demo Club :: Practice Sessions for January 2026 :: LiveRC", panel=SAID),
        (DAY_TITLE, f"<p>{NOTHING}</p>"),
        (DAY_TITLE, f"<div><b></b>{NOTHING}<br></div>"),
        (DAY_TITLE, f"<table><tr>{HEAD}</tr><tr><td colspan=4>{NOTHING}</td></tr></table>"),
        (DAY_TITLE, f"<table><tr>{HEAD}</tr></table><p>{NOTHING}</p>"),
        (DAY_TITLE, f"<div class=panel>{NEVER}</div>"),
        (DAY_TITLE, "<p>no synched up practice sessions</p>"),
    ],
)
def test_a_day_without_practice_is_known_by_its_text(title: str, content: str) -> None:
    facts = read_day(page(title, content))
    assert (facts.date, facts.complete, facts.sessions, facts.findings) == (DATE, True, (), ())


@pytest.mark.parametrize(
    ("title", "content", "error"),
    [
        (*named(), NotThatPage),
        (*named(title=MONTH_TITLE), NotThatPage),
        (*named(panel="Practice Sessions on October 26, 2025 (Sunday)"), WrongDate),
        (*named(title=DAY_TITLE, panel="Practice Sessions on October 26, 2025 (Sunday)"), WrongDate),
        ("Demo Club :: Practice Sessions :: LiveRC", f"<p>{NEVER}</p>", NotThatPage),
        (DAY_TITLE, f"<p>Bob says: {NOTHING}</p>", NotThatPage),
        (DAY_TITLE, f"<script>{NOTHING}</script>", NotThatPage),
        (DAY_TITLE, f"<!-- {NOTHING} -->", NotThatPage),
        (DAY_TITLE, f'<p title="{NOTHING}">x</p>', NotThatPage),
    ],
)
def test_what_does_not_say_it_of_the_asked_day_is_no_empty_day(
    title: str, content: str, error: type[PageError]
) -> None:
    with pytest.raises(error):
        read_day(page(title, content))


def test_totals_that_say_laps_are_no_empty_day_whatever_else_stands_there() -> None:
    for body in (day_page(laps="104"), day_page(laps="104", more=f"<p>{NOTHING}</p>")):
        facts = read_day(body)
        assert (facts.complete, facts.sessions, codes(facts)[0]) == (False, (), "total_laps_differ")


def test_a_month_without_practice_ever_is_an_empty_month() -> None:
    facts = parse_month(page("Demo Club :: Practice Sessions :: LiveRC", f"<p>{NEVER}</p>"), url=URL)
    assert (facts.days, facts.findings) == ((), ())
    with pytest.raises(WrongDate):
        parse_month(page(MONTH_TITLE, f"<p>{NEVER}</p>"), url=URL, year_month="2025-11")


def test_a_month_of_another_title_is_refused() -> None:
    body = month_page(f"<table>{HEADER}</table>").replace(b"selected=", b"data-was=")
    assert parse_month(body, url=URL, year_month="2025-10").year_month == "2025-10"
    with pytest.raises(WrongDate, match="2025-10, not of 2025-11"):
        parse_month(body, url=URL, year_month="2025-11")


def test_links_name_the_session_before_the_page() -> None:
    link = b"/practice/?id=7&p=view_session"
    facts = read_day(day_page(row()).replace(b"/practice/?p=view_session&id=7", link))
    assert ([each.session_id for each in facts.sessions], facts.complete) == (["7"], True)


HOLESHOT = """$(document).ready(function () {
 var racerLaps = {};
 racerLaps[4455667] = {
 'driverName' : 'ANN O\\'EXAMPLE',
 'fastLap' : '30.1',
 'laps' : [
 { 'lapNum' : '0', 'pos' : '1', 'time' : '1.4', 'pace' : '0', 'segments' : [ ] },
 { 'lapNum' : '1', 'pos' : '1', 'time' : '30.1', 'pace' : '10/5:01.000', 'segments' : [ ] },
 { 'lapNum' : '2', 'pos' : '2', 'time' : '30.6', 'pace' : '10/5:03.000', 'segments' : [ ] },
 ]
 };
 console.log(racerLaps[4455667]);
});"""


def test_the_way_to_the_line_is_no_lap() -> None:
    facts = read_session(session_page(HOLESHOT, num_laps="2", transponder="4455667"))
    assert [(lap.lap_number, lap.lap_time_seconds) for lap in facts.laps] == [(1, 30.1), (2, 30.6)]
    assert [lap.elapsed_race_time for lap in facts.laps] == [30.1, 60.7]
    assert codes(facts) == []


def read_month(body: bytes) -> MonthPage:
    return parse_month(body, url=URL)


CHALLENGES = [
    '<div id="challenge-platform"></div>',
    '<form id="challenge-form"></form>',
    "<script>window._cf_chl_opt = {cvId: '3'};</script>",
    "<script>a.src = '/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1';</script>",
    '<script src="/cdn-cgi/challenge-platform/h/g/orchestrate/jsch/v1"></script>',
    "<p>Checking your browser before accessing demo.example.org.</p>",
    "<div><span>\n Just a moment... </span></div>",
    "<noscript><p>Enable JavaScript and cookies to continue</p></noscript>",
    "<p>Verify you are human by completing the action below.</p>",
]


@pytest.mark.parametrize("challenge", CHALLENGES)
@pytest.mark.parametrize("title", ["demo.example.org", "Demo Club :: LiveRC", ""])
@pytest.mark.parametrize("parse", [read_day, read_session, read_month])
def test_a_bot_check_is_known_by_element_script_and_text(
    parse: Callable[[bytes], object], challenge: str, title: str
) -> None:
    with pytest.raises(BotCheck):
        parse(page(title, challenge))


def test_the_script_that_a_shield_adds_to_every_page_is_no_bot_check() -> None:
    script = "<script>a.src='/cdn-cgi/challenge-platform/scripts/jsd/main.js';</script>"
    with pytest.raises(NotThatPage):
        read_session(page("Demo Club :: Practice Session :: LiveRC", script))
    assert read_day(page(DAY_TITLE, script + f"<p>{NOTHING}</p>")).complete


@pytest.mark.parametrize(
    "track", ["405 RC Raceway and Hobbies", "500 Club", "Maintenance Hill RC", "RC Error 404"]
)
def test_a_tracks_name_makes_no_error_page(track: str) -> None:
    body = page(f"{track} :: Practice Session :: LiveRC", "<p>Session not known.</p>", track)
    with pytest.raises(NotThatPage):
        read_session(body)
    with pytest.raises(NotThatPage):
        read_day(body)


def test_a_class_may_end_with_a_short_number() -> None:
    body = day_page(
        row(id="7", kind="Masters (40)"),
        row(id="8", kind="17.5 Stock (13) (4455667)"),
        laps="18",
        classes="2",
    )
    facts = read_day(body)
    assert [(each.class_name, each.transponder_number) for each in facts.sessions] == [
        ("Masters (40)", None),
        ("17.5 Stock (13)", "4455667"),
    ]
    assert facts.complete


def test_a_row_of_another_day_is_lost_alone() -> None:
    body = day_page(row(), row(id="8", start="2025-10-24 23:58:00"))
    facts = read_day(body)
    assert [each.session_id for each in facts.sessions] == ["7"]
    assert [(each.code, each.found) for each in facts.findings] == [
        ("row_of_another_day", "8: 2025-10-24 23:58:00")
    ]
    assert not facts.complete


def practice(*laps: dict[str, str]) -> str:
    usual = {"x": "1", "lap_time": "42.9", "date": "2025-10-25", "time": "14:44:10", "is_valid": "0"}
    return f"var lapsObj = {json.dumps([usual | lap for lap in laps])};"


def test_the_page_counts_valid_laps() -> None:
    laps = practice({"lap_time": "2.104"}, {"x": "2", "lap_time": "75.0"})
    for stated, found in (("0", []), ("2", []), ("1", ["lap_count_differs"])):
        assert codes(read_session(session_page(laps, num_laps=stated))) == found


@pytest.mark.parametrize("time", ["444444", "444444.000", "86400.001", "24:00:01", "0.000", "0"])
def test_a_time_that_no_lap_can_have_is_a_finding_and_null(time: str) -> None:
    facts = read_session(session_page(practice({"lap_time": time}), num_laps="1"))
    assert (facts.laps[0].lap_time_raw, facts.laps[0].lap_time_seconds) == (time, None)
    assert facts.laps[0].elapsed_race_time is None
    assert codes(facts) == ["unreadable_value"]
    shown = read_session(session_page("", f"<span>Lap 1: {time}</span>", num_laps="1"))
    assert (shown.laps[0].lap_time_seconds, codes(shown)) == (None, ["laps_from_text", "unreadable_value"])
    raced = f"racerLaps[4100000] = {{laps: [{{lapNum: 1, time: '{time}'}}]}}"
    assert read_session(session_page(raced, num_laps="1")).laps[0].lap_time_seconds is None


@pytest.mark.parametrize("date", ["1970-01-01", "0001-01-01", "2025-10-24", "2025-10-27"])
def test_a_lap_ends_on_the_sessions_day_or_the_next(date: str) -> None:
    facts = read_session(session_page(practice({"date": date}), num_laps="1"))
    assert (facts.laps[0].lapped_at, codes(facts)) == (None, ["unreadable_value"])
    later = read_session(session_page(practice({"date": "2025-10-26"}), num_laps="1"))
    assert later.laps[0].lapped_at == dt.datetime(2025, 10, 26, 14, 44, 10)


@pytest.mark.parametrize(
    "cells",
    [
        {"Fastest Lap": "444444.000"},
        {"Fastest Lap": "0.000"},
        {"Top 3 Consec": "444444"},
        {"Averages": "Avg: 444444<br />Top 5: <br />"},
        {"Averages": "Avg: 1.0<br />Std Deviation: 444444<br />"},
        {"Session Time": "Date: October 25, 2025 (Saturday)<br />Length of Session: 24:00:01"},
    ],
)
def test_a_value_that_no_session_can_have_is_a_finding_and_null(cells: dict[str, str]) -> None:
    facts = read_session(session_page(num_laps="0", **cells))
    assert codes(facts) == ["unreadable_value"]
    assert (facts.fastest_lap, facts.top_3_consecutive, facts.std_deviation, facts.duration_seconds) == (
        None,
        None,
        None,
        None if "Session Time" in cells else 229,
    )


def test_more_laps_than_a_session_can_have_are_no_number() -> None:
    assert read_session(session_page(num_laps="20001")).lap_count is None
    assert read_day(day_page(row(laps="20001"))).sessions[0].lap_count is None


@pytest.mark.parametrize("fast", ["444444.0", "0.000"])
def test_a_row_with_a_time_that_no_lap_can_have_is_a_finding(fast: str) -> None:
    facts = read_day(day_page(row(fast=fast)))
    assert (facts.sessions[0].fastest_lap, codes(facts)) == (None, ["unreadable_value"])


def test_the_sum_of_a_sessions_laps_ends_after_a_day() -> None:
    laps = practice(*({"x": str(number), "lap_time": "80000"} for number in (1, 2, 3)))
    facts = read_session(session_page(laps, num_laps="3"))
    assert [lap.elapsed_race_time for lap in facts.laps] == [80_000, None, None]
    assert codes(facts) == ["unreadable_value"]


def test_the_facts_of_an_asked_day_are_those_of_any() -> None:
    body = page(*named(panel=SAID))
    facts = parse_day(body, url=URL)
    assert facts == read_day(body)
    assert parse_session(session_page(), url=URL, session_id="7").date == DATE
