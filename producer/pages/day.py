"""The day list: a page's bytes go in, the day's sessions, totals and findings come out.

The page is read in two steps: `day_texts` takes its texts out of the tree, `day_facts` says what they mean.
"""

import datetime as dt
import re
from typing import NamedTuple
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from producer.pages.day_checks import compare
from producer.pages.day_stats import LeaderTexts, StatsTexts, day_stats
from producer.pages.errors import NotThatPage, TooManyEntries, WrongDate
from producer.pages.findings import Code, Findings
from producer.pages.page import (
    body_rows,
    check_whole,
    first,
    headed_rows,
    header_texts,
    open_page,
    refuse,
    text_of,
    title_of,
)
from producer.pages.text import LONG_DATE, folded, kind, linked_session, long_date
from producer.pages.values import Values
from schemas.events import MAX_SESSIONS, DayFacts, ListedSession

NOTHING_THAT_DAY = "There are no practice sessions available for the given date."
"""The text of a panel that is the only sign of a day without practice."""

_TITLE = re.compile(rf".*\bPractice Sessions on ({LONG_DATE})")
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
    """The folded texts of a day list."""

    title: str
    heading: str
    track: str
    rows: list[RowTexts]
    stats: StatsTexts


def parse_day(body: bytes, *, url: str, date: dt.date | None = None) -> DayFacts:
    """What the day list says; `date` is the day that was asked for.

    Raises:
        PageError: the page is not a whole day list, or another day's.
    """
    tree = open_page(body, url)
    table = _session_table(tree)
    if table is None:
        return _empty_day(tree, body, url, date)
    check_whole(body, url)
    return day_facts(day_texts(tree, table), url, date)


def day_texts(tree: LexborHTMLParser, table: LexborNode) -> DayTexts:
    """The texts of a page with a table of sessions."""
    return DayTexts(
        title=title_of(tree),
        heading=text_of(tree.css_first("h5.page-header")),
        track=text_of(tree.css_first("h1.page-header")),
        rows=[_row_texts(row) for row in body_rows(table)],
        stats=_stats_texts(tree, table),
    )


def day_facts(texts: DayTexts, url: str, date: dt.date | None) -> DayFacts:
    """What the texts mean. Raises `WrongDate`, `NotThatPage` and `TooManyEntries`."""
    day = _day_of(texts, url, date)
    if len(texts.rows) > MAX_SESSIONS:
        raise TooManyEntries(url, f"{len(texts.rows)} sessions, {MAX_SESSIONS} allowed")
    findings = Findings()
    values = Values(findings)
    sessions = _sessions(texts.rows, url, values)
    _check_days(sessions, url, day)
    stats = day_stats(texts.stats, values)
    compare(sessions, stats, findings)
    return DayFacts(
        date=day,
        complete=not any(code.prevents_completeness for code in findings.codes),
        track_name=values.label("track_name", texts.track),
        sessions=tuple(sessions),
        stats=stats,
        findings=findings.all(),
    )


def _session_table(tree: LexborHTMLParser) -> LexborNode | None:
    """The table by its class, else by its header."""
    by_class = tree.css_first("table.practice_session_list")
    if by_class is not None:
        return by_class
    tables = tree.css("table")
    return next((table for table in tables if header_texts(table) == _HEADERS), None)


def _row_texts(row: LexborNode) -> RowTexts:
    cells = list(row.iter())
    href, driver, small = _who(cells[0]) if cells else (None, "", "")
    if len(cells) < _CELLS:
        return RowTexts(href, driver, small, "", "", "")
    _, start, laps, times, *_ = cells
    return RowTexts(href, driver, small, _hidden(start), text_of(laps), text_of(times))


def _who(cell: LexborNode) -> tuple[str | None, str, str]:
    href, driver = None, ""
    for node in cell.traverse():
        tag = node.tag
        if tag == "a" and href is None:
            href, driver = node.attributes.get("href"), folded(node.text_lexbor())
        elif tag == "small":
            return href, driver, folded(node.text_lexbor())
    return href, driver, ""


def _hidden(cell: LexborNode) -> str:
    for node in cell.iter():
        if node.tag == "div":
            return folded(node.text_lexbor())
    return ""


def _stats_texts(tree: LexborHTMLParser, sessions: LexborNode) -> StatsTexts:
    texts = StatsTexts({}, [], None)
    for table in tree.css("table"):
        if table.mem_id != sessions.mem_id:
            _read_table(table, texts)
    script = tree.css_first("table script")
    return texts if script is None else texts._replace(chart=script.text())


def _read_table(table: LexborNode, texts: StatsTexts) -> None:
    for head, cell in headed_rows(table):
        link = first(cell, "a")
        if link is None:
            texts.totals.setdefault(head, text_of(cell))
        else:
            small = text_of(first(cell, "small"))
            texts.leaders.append(LeaderTexts(head, link.attributes.get("href"), text_of(link), small))


def _empty_day(tree: LexborHTMLParser, body: bytes, url: str, date: dt.date | None) -> DayFacts:
    title = title_of(tree)
    panels = tree.css(".panel, .panel *")
    if not _TITLE.match(title) or all(text_of(node) != NOTHING_THAT_DAY for node in panels):
        refuse(tree, body, url, "neither a table of practice sessions nor the text of a day without any")
    check_whole(body, url)
    heading, track = text_of(tree.css_first("h5.page-header")), text_of(tree.css_first("h1.page-header"))
    texts = DayTexts(title, heading, track, [], StatsTexts({}, [], None))
    findings = Findings()
    name = Values(findings).label("track_name", track)
    return DayFacts(date=_day_of(texts, url, date), complete=True, track_name=name, findings=findings.all())


def _day_of(texts: DayTexts, url: str, asked: dt.date | None) -> dt.date:
    """The day that the page names, in its title and its heading; both must be the one asked for."""
    title = _TITLE.match(texts.title)
    named = [day for day in (title and long_date(title[1]), long_date(texts.heading)) if day is not None]
    if not named:
        raise NotThatPage(url, f"title {texts.title!r} and heading {texts.heading!r} name no day")
    expected = asked or named[0]
    for day in named:
        if day != expected:
            raise WrongDate(url, f"the page is of {day}, not of {expected}")
    return expected


def _sessions(rows: list[RowTexts], url: str, values: Values) -> list[ListedSession]:
    """The sessions of the rows, each once."""
    base = urljoin(url, "?p=view_session&id=")
    sessions: dict[str, ListedSession] = {}
    for row in rows:
        session_id = linked_session(row.href)
        if session_id is None:
            values.findings.add(Code.UNREADABLE_ROW, " | ".join(map(str, row)))
        elif session_id in sessions:
            values.findings.add(Code.DUPLICATE_SESSION, session_id)
        else:
            sessions[session_id] = _session(session_id, row, base, values)
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
        lap_count=values.count("lap_count", laps),
        fastest_lap=values.seconds("fastest_lap", fastest),
        average_lap=values.seconds("average_lap", average),
        session_url=values.label("session_url", base + session_id, _MAX_URL),
    )


def _times(session_id: str, text: str, values: Values) -> tuple[str | None, str | None]:
    """The fastest and the average lap's text; a session without laps has neither."""
    match = _TIMES.fullmatch(text)
    if match is None:
        values.findings.add(Code.UNREADABLE_VALUE, f"times of {session_id}: {text}")
        return None, None
    return match[1], match[2]


def _check_days(sessions: list[ListedSession], url: str, day: dt.date) -> None:
    for session in sessions:
        if session.start_time is not None and session.start_time.date() != day:
            raise WrongDate(url, f"session {session.session_id} began at {session.start_time}, not on {day}")
