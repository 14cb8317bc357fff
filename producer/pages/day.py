"""The day list: a page's bytes go in, the day's sessions, totals and findings come out.

The page is read in two steps: `day_texts` takes its texts out of the tree, `day_facts` says what they mean.
"""

import datetime as dt
import re
from typing import NamedTuple
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from producer.pages.day_checks import compare, compare_names
from producer.pages.day_stats import LeaderTexts, StatsTexts, day_stats
from producer.pages.errors import NotThatPage, TooManyEntries, WrongDate
from producer.pages.findings import Code, Findings
from producer.pages.notices import nothing_that_day, says_nothing_that_day
from producer.pages.page import check_whole, first, open_page, text_of, title_of
from producer.pages.refusing import refuse
from producer.pages.tables import Row, Table, find_table, headed_cells, is_header, tables_of
from producer.pages.text import LONG_DATE, folded, kind, linked_session, long_date
from producer.pages.values import Values
from schemas.events import MAX_LAPS, MAX_SESSIONS, DayFacts, ListedSession

_TITLE = re.compile(rf".*\bPractice Sessions on ({LONG_DATE})")
_PANEL = re.compile(rf"Practice Sessions on ({LONG_DATE})")
_HEADERS = ["Driver Class", "Time", "Laps Length", "Fast Avg"]
_TIMES = re.compile(r"(?:Fast: ?(\S*))?(?: ?Avg: ?(\S*))?")
_MAX_URL = 1_000
_CELLS = 4


class RowTexts(NamedTuple):
    """The texts of one row: link, driver, class with transponder, start, laps with length, times."""

    href: str | None
    driver: str
    kind: str
    start: str
    laps: str
    times: str


class DayTexts(NamedTuple):
    """The folded texts of a day list; `notice` is the heading over the words that there was no practice."""

    title: str
    heading: str
    track: str
    rows: list[RowTexts]
    stats: StatsTexts
    notice: str | None = None


def parse_day(body: bytes, *, url: str, date: dt.date | None = None) -> DayFacts:
    """What the day list says; `date` is the day that was asked for.

    Raises:
        PageError: the page is not a whole day list, or another day's.
    """
    tree = open_page(body, url)
    texts = day_texts(tree)
    if texts is None:
        refuse(tree, body, url, "neither a table of practice sessions nor the text of a day without any")
    check_whole(body, url)
    return day_facts(texts, url, date)


def day_texts(tree: LexborHTMLParser) -> DayTexts | None:
    """The texts of a page that has a table of sessions, or says that there were none; else None."""
    tables = tables_of(tree)
    table = find_table(tables, _HEADERS)
    rows = _row_texts(table) if table else []
    notice = None if rows else nothing_that_day(tree)
    if table is None and notice is None:
        return None
    return DayTexts(
        title=title_of(tree),
        heading=text_of(tree.css_first("h5.page-header")),
        track=text_of(tree.css_first("h1.page-header")),
        rows=rows,
        stats=_stats_texts(tree, [each for each in tables if each is not table]),
        notice=None if notice is None else _panel_heading(notice),
    )


def day_facts(texts: DayTexts, url: str, date: dt.date | None) -> DayFacts:
    """What the texts mean. Raises `WrongDate`, `NotThatPage` and `TooManyEntries`."""
    day = _day_of(texts, url, date)
    if len(texts.rows) > MAX_SESSIONS:
        raise TooManyEntries(url, f"{len(texts.rows)} sessions, {MAX_SESSIONS} allowed")
    findings = Findings()
    values = Values(findings)
    sessions = _sessions(texts.rows, url, day, values)
    stats = day_stats(texts.stats, values)
    if stats is not None or texts.notice is None:
        compare(sessions, stats, findings)
    compare_names(sessions, findings)
    return DayFacts(
        date=day,
        complete=not any(code.prevents_completeness for code in findings.codes),
        track_name=values.label("track_name", texts.track),
        sessions=tuple(sessions),
        stats=stats,
        findings=findings.all(),
    )


def _row_texts(table: Table) -> list[RowTexts]:
    """The texts of the rows, without those that repeat the header, or say that there was no practice."""
    return [texts for row in table if (texts := _texts_of(row)).href or not _is_aside(row)]


def _is_aside(row: Row) -> bool:
    return is_header(row, _HEADERS) or (len(row) == 1 and says_nothing_that_day(text_of(row[0])))


def _texts_of(cells: Row) -> RowTexts:
    link, kind_text = (first(cells[0], "a"), first(cells[0], "small")) if cells else (None, None)
    href = None if link is None else link.attributes.get("href")
    who = (href, _inner_text(link), _inner_text(kind_text))
    if len(cells) < _CELLS:
        return RowTexts(*who, "", "", "")
    _, start, laps, times, *_ = cells
    return RowTexts(*who, _inner_text(first(start, "div")), text_of(laps), text_of(times))


def _inner_text(node: LexborNode | None) -> str:
    return "" if node is None else folded(node.text_lexbor())


def _stats_texts(tree: LexborHTMLParser, tables: list[Table]) -> StatsTexts:
    texts = StatsTexts({}, [], None)
    for table in tables:
        _read_table(table, texts)
    script = tree.css_first("table script")
    return texts if script is None else texts._replace(chart=script.text())


def _read_table(table: Table, texts: StatsTexts) -> None:
    for head, cell in headed_cells(table):
        link = first(cell, "a")
        if link is None:
            texts.totals.setdefault(head, text_of(cell))
        else:
            small = text_of(first(cell, "small"))
            texts.leaders.append(LeaderTexts(head, link.attributes.get("href"), text_of(link), small))


def _panel_heading(node: LexborNode) -> str:
    """The heading of the panel that a node stands in; empty where it has none."""
    panel: LexborNode | None = node
    while panel is not None:
        if "panel" in (panel.attributes.get("class") or "").split():
            return text_of(panel.css_first(".panel-heading"))
        panel = panel.parent
    return ""


def _day_of(texts: DayTexts, url: str, asked: dt.date | None) -> dt.date:
    """The day that the page names, in title, heading, or over the notice; each must be the one asked for."""
    found = (_TITLE.match(texts.title), _PANEL.match(texts.notice or ""))
    written = [match[1] for match in found if match]
    named = [day for day in map(long_date, [*written, texts.heading]) if day is not None]
    if not named:
        raise NotThatPage(url, f"title {texts.title!r} and heading {texts.heading!r} name no day")
    expected = asked or named[0]
    for day in named:
        if day != expected:
            raise WrongDate(url, f"the page is of {day}, not of {expected}")
    return expected


def _sessions(rows: list[RowTexts], url: str, day: dt.date, values: Values) -> list[ListedSession]:
    """The sessions of the rows, each once; a row of another day is none."""
    base = urljoin(url, "?p=view_session&id=")
    sessions: dict[str, ListedSession] = {}
    for row in rows:
        session_id = linked_session(row.href)
        if session_id is None:
            values.findings.add(Code.UNREADABLE_ROW, " | ".join(map(str, row)))
        elif session_id in sessions:
            values.findings.add(Code.DUPLICATE_SESSION, session_id)
        else:
            session = _session(session_id, row, base, values)
            if session.start_time is not None and session.start_time.date() != day:
                values.findings.add(Code.ROW_OF_ANOTHER_DAY, f"{session_id}: {session.start_time}", day)
            else:
                sessions[session_id] = session
    return list(sessions.values())


def _session(session_id: str, row: RowTexts, base: str, values: Values) -> ListedSession:
    class_name, transponder = kind(row.kind)
    laps, _, length = row.laps.partition(" ")
    fastest, average = _times(session_id, row.times, values)
    return ListedSession(
        session_id=session_id,
        driver_name=values.label("driver_name", row.driver),
        class_name=values.label("class_name", class_name),
        transponder_number=transponder or None,
        start_time=values.stamp("start_time", row.start),
        duration_seconds=values.whole_seconds("duration_seconds", length),
        lap_count=values.count("lap_count", laps, MAX_LAPS),
        fastest_lap=values.lap_seconds("fastest_lap", fastest),
        average_lap=values.lap_seconds("average_lap", average),
        session_url=values.label("session_url", base + session_id, _MAX_URL),
    )


def _times(session_id: str, text: str, values: Values) -> tuple[str | None, str | None]:
    """The fastest and the average lap's text; a session without laps has neither."""
    match = _TIMES.fullmatch(text)
    if match is None:
        values.findings.add(Code.UNREADABLE_VALUE, f"times of {session_id}: {text}")
        return None, None
    return match[1], match[2]
