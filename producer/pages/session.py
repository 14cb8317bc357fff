"""The session page: its bytes go in, the session's facts, laps and findings come out.

The page is read in two steps: `session_texts` takes its texts out of the tree, `session_facts` says what
they mean.
"""

import datetime as dt
import re
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from producer.pages.errors import NotThatPage, WrongSession
from producer.pages.findings import Code, Findings
from producer.pages.laps import read_laps
from producer.pages.page import check_whole, open_page, text_of, title_of
from producer.pages.refusing import refuse
from producer.pages.scripts import with_laps
from producer.pages.tables import headed_cells, tables_of
from producer.pages.text import LONG_DATE, clock, folded, long_date
from producer.pages.values import Values
from schemas.events import MAX_LAPS, Lap, SessionFacts

_TITLE = re.compile(rf".* on ({LONG_DATE})(?: \([A-Za-z]+\))? at ([0-9:]+ ?[ap]m)")
_SIGNS = ("Session Time", "Num Laps")
_TIME_LABELS = re.compile(r"(Date|Start|End|Length of Session): ?")
_AVERAGE_LABELS = re.compile(r"(Avg|Top 5|Top 10|Top 15|Std Deviation|Consistency): ?")
_RANGE = "Valid Lap Range"
_SHOWN_LAPS = "div.laps_list span:not(:has(span))"


class SessionTexts(NamedTuple):
    """The folded texts of a session page: the table's cells by their heads, the laps, the data's script."""

    title: str
    cells: dict[str, str]
    laps: list[str]
    script: str


class _Moments(NamedTuple):
    date: dt.date
    start: dt.datetime | None


def parse_session(
    body: bytes,
    *,
    url: str,
    session_id: str,
    date: dt.date | None = None,
    start_time: dt.datetime | None = None,
) -> SessionFacts:
    """What the session's page says; `date` and `start_time` are what its day list said, on the local clock.

    Raises:
        PageError: the page is not a whole session page, or another session's.
    """
    tree = open_page(body, url)
    cells = _session_cells(tree)
    if cells is None:
        refuse(tree, body, url, "no table of a session: the site knows no session by this id")
    check_whole(body, url)
    return session_facts(session_texts(tree, cells), url, session_id, date, start_time)


def session_texts(tree: LexborHTMLParser, cells: dict[str, str]) -> SessionTexts:
    """The texts of a page with a session's table."""
    return SessionTexts(
        title=title_of(tree),
        cells=cells,
        laps=[folded(node.text_lexbor()) for node in tree.css(_SHOWN_LAPS)],
        script=with_laps([node.text_lexbor() for node in tree.css("script")]),
    )


def session_facts(
    texts: SessionTexts,
    url: str,
    session_id: str,
    date: dt.date | None,
    start_time: dt.datetime | None,
) -> SessionFacts:
    """What the texts mean. Raises `WrongSession`, `NotThatPage` and `TooManyEntries`."""
    cells, findings = texts.cells, Findings()
    values = Values(findings)
    times = _labelled(cells.get("Session Time", ""), _TIME_LABELS)
    averages = _labelled(cells.get("Averages", ""), _AVERAGE_LABELS)
    moments = _moments(texts.title, times, url, values)
    _check_asked(moments, url, date, start_time)
    own = _own(moments, findings)
    transponder = values.label("transponder_number", cells.get("Transponder"))
    lap_count = values.count("lap_count", cells.get("Num Laps"), MAX_LAPS)
    laps = read_laps(texts.script, texts.laps, transponder, own.date, url, values)
    _check_count(laps, lap_count, findings)
    return SessionFacts(
        date=own.date,
        session_id=session_id,
        driver_name=values.label("driver_name", cells.get("Driver")),
        class_name=values.label("class_name", cells.get("Class")),
        transponder_number=transponder,
        start_time=own.start,
        end_time=_end(own, values.clock("end_time", times.get("End"))),
        duration_seconds=values.whole_seconds("duration_seconds", times.get("Length of Session")),
        lap_count=lap_count,
        fastest_lap=values.lap_seconds("fastest_lap", cells.get("Fastest Lap")),
        average_lap=values.lap_seconds("average_lap", averages.get("Avg")),
        top_3_consecutive=values.lap_seconds("top_3_consecutive", cells.get("Top 3 Consec")),
        avg_top_5=values.lap_seconds("avg_top_5", averages.get("Top 5")),
        avg_top_10=values.lap_seconds("avg_top_10", averages.get("Top 10")),
        avg_top_15=values.lap_seconds("avg_top_15", averages.get("Top 15")),
        std_deviation=values.seconds("std_deviation", averages.get("Std Deviation")),
        consistency=values.percent("consistency", averages.get("Consistency")),
        valid_lap_range=values.lap_range("valid_lap_range", cells.get(_RANGE)),
        laps=laps,
        findings=findings.all(),
    )


def _check_count(laps: tuple[Lap, ...], stated: int | None, findings: Findings) -> None:
    """The page counts the valid laps; where it counts all that it shows, nothing is wrong either."""
    valid = sum(lap.is_valid is not False for lap in laps)
    if stated is not None and stated not in {valid, len(laps)}:
        findings.add(Code.LAP_COUNT_DIFFERS, valid, stated)


def _session_cells(tree: LexborHTMLParser) -> dict[str, str] | None:
    """The cells of the first table that speaks of one session, by their heads; None where there is none."""
    for table in tables_of(tree):
        cells = {head: _cell_text(head, cell) for head, cell in reversed(list(headed_cells(table)))}
        if "Driver" in cells and any(sign in cells for sign in _SIGNS):
            return cells
    return None


def _cell_text(head: str, cell: LexborNode) -> str:
    """A cell's text; of the lap range, without the remark that stands in an element of its own."""
    return folded(cell.text(deep=False, separator=" ")) if head == _RANGE else text_of(cell)


def _labelled(text: str, labels: re.Pattern[str]) -> dict[str, str]:
    """The values behind each label of a cell with several lines."""
    _, *parts = labels.split(text)
    return {label: value.rstrip() for label, value in zip(parts[::2], parts[1::2], strict=True)}


def _moments(title: str, times: dict[str, str], url: str, values: Values) -> list[_Moments]:
    """What the table and the title say of day and start, the table first."""
    moments: list[_Moments] = []
    table_date = long_date(times.get("Date", ""))
    named = _TITLE.match(title)
    title_date = long_date(named[1]) if named else None
    if table_date is not None:
        moments.append(_moment(table_date, values.clock("start_time", times.get("Start"))))
    if named is not None and title_date is not None:
        moments.append(_moment(title_date, clock(named[2])))
    if not moments:
        raise NotThatPage(url, f"neither the table nor the title {title!r} says when the session was")
    return moments


def _moment(date: dt.date, start: dt.time | None) -> _Moments:
    return _Moments(date, None if start is None else dt.datetime.combine(date, start))


def _check_asked(
    moments: list[_Moments], url: str, date: dt.date | None, start_time: dt.datetime | None
) -> None:
    for found in moments:
        if date is not None and found.date != date:
            raise WrongSession(url, f"the page's session was on {found.date}, not on {date}")
        if start_time is not None and found.start is not None and found.start != start_time:
            raise WrongSession(url, f"the page's session began at {found.start}, not at {start_time}")


def _own(moments: list[_Moments], findings: Findings) -> _Moments:
    """The table's word, with the title's start where the table has none."""
    first, last = moments[0], moments[-1]
    if first.date == last.date and first.start is None:
        return last
    if last.start is not None and first != last:
        findings.add(Code.TITLE_DISAGREES, f"title: {last.start}", f"table: {first.start or first.date}")
    return first


def _end(own: _Moments, end: dt.time | None) -> dt.datetime | None:
    """The moment of the end: on the next day when its time is before the start's."""
    if end is None or own.start is None:
        return None
    moment = dt.datetime.combine(own.date, end)
    if moment < own.start and own.date < dt.date.max:
        moment += dt.timedelta(days=1)
    return moment
