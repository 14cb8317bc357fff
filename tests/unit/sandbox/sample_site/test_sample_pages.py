"""The renderer, read back with a parser that the project doesn't use itself."""

import datetime as dt
import json
import re
import time

import pytest
from bs4 import BeautifulSoup, Tag

from sandbox.sample_site import render
from sandbox.sample_site.cases import case_sessions, cases_day
from sandbox.sample_site.generate import real_shape_day
from sandbox.sample_site.model import DayQuirk
from sandbox.sample_site.render import Spelling

DATE = dt.date(2025, 10, 25)
DAY = real_shape_day("canberra", DATE)
CASES = case_sessions("canberra", DATE)
CASES_DAY = cases_day("canberra", DATE)

both = pytest.mark.parametrize("spelling", ["served", "saved"])


def soup(page: bytes) -> BeautifulSoup:
    return BeautifulSoup(page, "html.parser")


def one(within: Tag, selector: str) -> Tag:
    found = within.select_one(selector)
    assert found is not None, selector
    return found


def text(tag: Tag) -> str:
    return " ".join(tag.get_text(" ").split())


def rows(page: bytes) -> list[Tag]:
    return soup(page).select("table.practice_session_list tbody tr")


def case(name: str, spelling: Spelling = "served") -> BeautifulSoup:
    return soup(render.render_session(CASES_DAY, CASES[name], spelling=spelling))


def case_row(name: str) -> Tag:
    page = soup(render.render_day_list(CASES_DAY))
    return one(page, f'tr:has(a[href$="id={CASES[name].session_id}"]):has(div.hidden)')


def cell(page: BeautifulSoup, name: str) -> str:
    cells = {text(one(row, "th")): row.select_one("td") for row in page.select("tr:has(> th)")}
    found = cells[name]
    assert found is not None
    return text(found)


def laps_of(page: BeautifulSoup) -> list[dict[str, str]]:
    found = re.search(r"var lapsObj = (\[.*?\]);", str(page))
    assert found is not None
    return json.loads(found[1])


@both
def test_the_list_shows_every_session_newest_first(spelling: Spelling) -> None:
    found = rows(render.render_day_list(DAY, spelling=spelling))

    links = [str(one(row, "a")["href"]) for row in found]
    assert links == [f"/practice/?p=view_session&id={s.session_id}" for s in reversed(DAY.sessions)]
    assert [text(one(row, "a")) for row in found] == [s.driver for s in reversed(DAY.sessions)]
    assert [text(one(row, "small")) for row in found] == [
        f"{s.class_name} ({s.transponder})" for s in reversed(DAY.sessions)
    ]


@both
def test_a_row_reads_as_on_the_real_site(spelling: Spelling) -> None:
    page = soup(render.render_day_list(CASES_DAY, spelling=spelling))
    row = page.select("table.practice_session_list tbody tr")[-1]
    who, when, laps, times = row.select("td")

    assert one(who, "a")["href"] == f"/practice/?p=view_session&id={CASES['usual'].session_id}"
    assert text(one(when, "div.hidden")) == "2025-10-25 09:00:00"
    assert text(when) == "2025-10-25 09:00:00 9:00:00am"
    assert (laps["data-sort"], laps.get_text("|", strip=True)) == ("5", "5|3:49")
    assert (times["data-sort"], times.get_text("|", strip=True)) == ("42.996", "Fast: 42.996|Avg: 45.815")


@both
def test_the_list_carries_its_own_totals(spelling: Spelling) -> None:
    page = soup(render.render_day_list(DAY, spelling=spelling))

    assert cell(page, "Total Laps") == "487"
    assert re.fullmatch(r"\d+ hours, \d+ minutes, \d+ seconds", cell(page, "Total Track Time"))
    assert (cell(page, "Unique Drivers"), cell(page, "Unique Classes")) == ("9", "4")
    assert cell(page, "Time Range") == "First Session: 10:58:33am Last Session: 4:36:38pm"
    assert re.search(r'"1\\/10 Open", ?"?data"?: ?221\b', str(page))


@both
def test_the_title_and_the_heading_name_track_and_day(spelling: Spelling) -> None:
    page = soup(render.render_day_list(DAY, spelling=spelling))

    assert text(one(page, "title")) == (
        "Canberra Model Car Club :: Practice Sessions on October 25, 2025 (Saturday) :: LiveRC"
    )
    assert text(one(page, "h1.page-header")) == "Canberra Model Car Club"


@both
def test_pages_are_about_as_large_as_real_ones(spelling: Spelling) -> None:
    session_pages = [len(render.render_session(DAY, session, spelling=spelling)) for session in DAY.sessions]

    assert 40_000 < len(render.render_day_list(DAY, spelling=spelling)) < 65_000
    assert 35_000 < min(session_pages) < max(session_pages) < 50_000


def test_the_two_spellings_say_the_same() -> None:
    for session in CASES.values():
        served, saved = (
            soup(render.render_session(CASES_DAY, session, spelling=spelling))
            for spelling in ("served", "saved")
        )
        assert [text(row) for row in served.select("table tr td")] == [
            text(row) for row in saved.select("table tr td")
        ]
        assert [text(lap) for lap in served.select(".laps_list span")] == [
            text(lap) for lap in saved.select(".laps_list span")
        ]


def test_what_a_formatter_saved_has_no_quoted_keys_and_both_kinds_of_void_tags() -> None:
    page = render.render_day_list(DAY, spelling="saved").decode()

    assert '{ label: "1\\/10 Open", data: 221 },' in page
    assert "<br>" in page
    assert "<br />" in page
    assert "view_session&amp;id" in page
    assert "view_session&id" in page
    assert re.search(r"<table\n\s+class=", page)


@both
def test_a_session_page_shows_its_statistics(spelling: Spelling) -> None:
    page = case("usual", spelling)

    assert text(one(page, "title")) == (
        "Canberra Model Car Club :: Practice Session for Abel Thornwick"
        " on October 25, 2025 (Saturday) at 9:00:00am :: LiveRC"
    )
    assert cell(page, "Session Time") == (
        "Date: October 25, 2025 (Saturday) Start: 9:00:00am End: 9:06:50am Length of Session: 3:49"
    )
    assert (cell(page, "Num Laps"), cell(page, "Fastest Lap")) == ("5", "42.996")
    assert cell(page, "Top 3 Consec") == "2:12.913"
    assert cell(page, "Averages") == (
        "Avg: 45.815 Top 5: 45.815 Top 10: Top 15: Std Deviation: 2.109 Consistency: 95.396%"
    )
    assert cell(page, "Valid Lap Range").startswith("15 to 2:10 ")
    assert text(one(page, ".laps_list .fast_lap")) == "Lap 1: 42.996"


def test_laps_as_data_are_strict_json_as_served() -> None:
    assert laps_of(case("usual"))[0] == {
        "x": "1",
        "lap_time": "42.996",
        "date": "2025-10-25",
        "time": "09:00:43",
        "date_time_display": "10/25/2025 9:00:43am",
        "time_display": "9:00:43am",
        "is_valid": "1",
    }


def test_invalid_laps_are_marked_in_text_and_data() -> None:
    page = case("invalid_laps")

    assert text(page.select(".laps_list span")[1]) == "Lap 2: 17.298*"
    assert [lap["is_valid"] for lap in laps_of(page)] == ["1", "0", "1", "0", "1", "1"]


def test_a_session_without_laps_has_an_empty_row_and_no_laps() -> None:
    times = case_row("no_laps").select("td")[3]

    assert (times["data-sort"], text(times)) == ("0", "")
    assert laps_of(case("no_laps")) == []


def test_without_a_transponder_the_class_stands_alone() -> None:
    assert text(one(case_row("no_transponder"), "small")) == "Open Practice"
    assert cell(case("no_transponder"), "Transponder") == ""
    assert "Transponder" not in [text(th) for th in case("no_transponder_without_laps").select("th")]
    assert case("no_transponder_without_laps").select(".laps_list span") == []


def test_times_over_a_minute_are_written_as_clocks_where_the_case_says_so() -> None:
    assert laps_of(case("laps_over_a_minute"))[0]["lap_time"] == "1:10.123"
    assert "Fast: 59.999 Avg: 1:16.176" in text(case_row("laps_over_a_minute"))


def test_a_decimal_comma_stands_in_row_and_page() -> None:
    assert case_row("decimal_comma").select("td")[3]["data-sort"] == "42,996"
    assert laps_of(case("decimal_comma"))[0]["lap_time"] == "42,996"


def test_a_session_past_midnight_ends_before_it_starts_by_the_clock() -> None:
    page = case("past_midnight")

    assert "Start: 11:57:30pm End: 12:04:20am" in cell(page, "Session Time")
    assert {lap["date"] for lap in laps_of(page)} == {"2025-10-25", "2025-10-26"}


def test_race_form_is_keyed_by_the_transponder() -> None:
    page = str(case("race_form"))
    found = re.search(r"racerLaps\[4100016\] = (\{.*?\});", page)

    assert found is not None
    laps = json.loads(found[1])["laps"]
    assert laps[0]["time"] == "42.996"
    assert laps[0]["pace"] == "7/5:00.972"
    assert "lapsObj" not in page


def test_text_only_and_disagreeing_pages_are_what_their_names_say() -> None:
    assert "lapsObj" not in str(case("text_only"))
    assert len(case("text_only").select(".laps_list span")) == 5

    page = case("text_disagrees")
    assert laps_of(page)[1]["lap_time"] == "45.815"
    assert text(page.select(".laps_list span")[1]) == "Lap 2: 46.815"


@both
@pytest.mark.parametrize("name", ["markup", "arabic", "cjk", "cyrillic", "emoji", "combining"])
def test_a_name_reads_back_as_it_was_written(name: str, spelling: Spelling) -> None:
    page = case(name, spelling)

    assert cell(page, "Driver") == CASES[name].driver
    assert cell(page, "Class") == CASES[name].class_name
    assert CASES[name].driver in text(one(page, "title"))


@both
def test_a_name_with_markup_adds_no_element(spelling: Spelling) -> None:
    usual = render.render_session(CASES_DAY, CASES["usual"], spelling=spelling)
    marked = render.render_session(CASES_DAY, CASES["markup"], spelling=spelling)

    assert [tag.name for tag in soup(marked).find_all()] == [tag.name for tag in soup(usual).find_all()]
    assert b"<script>alert" not in render.render_day_list(CASES_DAY, spelling=spelling)


def test_a_duplicate_row_stands_twice_and_counts_once() -> None:
    usual = render.render_day_list(CASES_DAY)
    double = render.render_day_list(cases_day("canberra", DATE, quirks=frozenset({DayQuirk.DUPLICATE_ROW})))

    assert len(rows(double)) == len(rows(usual)) + 1
    assert cell(soup(double), "Total Laps") == cell(soup(usual), "Total Laps")


@both
def test_a_plain_table_is_known_by_its_header_alone(spelling: Spelling) -> None:
    day = cases_day("canberra", DATE, quirks=frozenset({DayQuirk.PLAIN_TABLE}))
    page = render.render_day_list(day, spelling=spelling)

    assert rows(page) == []
    assert "practice_session_list" in page.decode()
    assert text(one(soup(page), "table thead")) == "Driver Class Time Laps Length Fast Avg"


@both
def test_an_empty_day_says_so_and_has_no_table(spelling: Spelling) -> None:
    page = soup(render.render_empty_day("canberra", DATE, spelling=spelling))

    assert "There are no practice sessions available for the given date." in text(page)
    assert page.select("table") == []


def test_an_unknown_session_has_no_table() -> None:
    assert soup(render.render_unknown_session("Canberra")).select("table") == []


@both
def test_the_month_links_each_day_twice(spelling: Spelling) -> None:
    page = soup(
        render.render_month("canberra", "2025-10", {DATE: 56}, ["2025-10", "2025-09"], spelling=spelling)
    )

    links = page.select("tbody tr a")
    assert [str(link["href"]) for link in links] == ["/practice/?p=session_list&d=2025-10-25"] * 2
    assert [text(link) for link in links] == ["Sat, Oct 25, 2025", "56"]
    options = page.select("#available_session_months option")
    assert [(option["value"], option.has_attr("selected")) for option in options] == [
        ("2025-10", True),
        ("2025-09", False),
    ]


def test_a_session_page_takes_well_under_a_millisecond() -> None:
    session = CASES["usual"]
    render.render_session(CASES_DAY, session)

    def cost() -> float:
        began = time.process_time()
        for _ in range(100):
            render.render_session(CASES_DAY, session)
        return (time.process_time() - began) / 100

    assert min(cost() for _ in range(3)) < 0.001
