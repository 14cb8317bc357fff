"""The day list: sessions, totals, leaderboard.

In: a day. Out: its page's bytes, in either spelling.
"""

import datetime as dt
import re
from dataclasses import replace
from html import escape

from sandbox.sample_site import pen, templates, wording
from sandbox.sample_site.figures import DayFigures, Fastest, day_figures, session_figures
from sandbox.sample_site.model import DayQuirk, SampleDay, SampleSession
from sandbox.sample_site.templates import Spelling

NOTHING_THAT_DAY = "There are no practice sessions available for the given date."


def render_day_list(day: SampleDay, *, spelling: Spelling = "served") -> bytes:
    """The list of a day, newest session first; without sessions, the page that says so."""
    date = wording.long_date(day.date)
    content = _content(day, spelling) if day.sessions else empty_panel(spelling, day.date)
    return pen.page(
        spelling,
        title=f"{day.track_name} :: Practice Sessions on {date}",
        track=day.track_name,
        heading="Practice Sessions",
        date=date,
        content=content,
    )


def empty_panel(spelling: Spelling, date: dt.date) -> str:
    """The panel of a day without practice."""
    return notice(spelling, f"Practice Sessions on {wording.long_date(date)}", NOTHING_THAT_DAY)


def notice(spelling: Spelling, heading: str, text: str) -> str:
    """A panel that holds one sentence."""
    return templates.whole("notice", spelling).fill(heading=escape(heading), text=escape(text))


def _content(day: SampleDay, spelling: Spelling) -> str:
    figures = day_figures(day)
    plain = DayQuirk.PLAIN_TABLE in day.quirks
    return templates.whole("list", spelling).fill(
        date=pen.label(spelling, wording.long_date(day.date), 16),
        table_class="table table-striped" if plain else "table table-striped practice_session_list",
        rows=_rows(day, spelling),
        laps=str(figures.laps),
        track_time=wording.spelled_out(figures.track_time),
        drivers=str(figures.drivers),
        classes=str(figures.classes),
        first=wording.clock(figures.first) if figures.first else "",
        last=wording.clock(figures.last) if figures.last else "",
        data=_laps_by_class(figures, spelling),
        leaders=_leaderboard(figures, spelling),
    )


def _rows(day: SampleDay, spelling: Spelling) -> str:
    newest_first = [] if DayQuirk.NO_ROWS in day.quirks else list(reversed(day.sessions))
    if DayQuirk.DUPLICATE_ROW in day.quirks:
        newest_first.insert(1, newest_first[0])
    if DayQuirk.ROW_OF_ANOTHER_DAY in day.quirks:
        oldest = newest_first.pop()
        newest_first.append(replace(oldest, start=oldest.start - dt.timedelta(days=1)))
    other_links = DayQuirk.OTHER_LINKS in day.quirks
    rows = (_row(session, spelling, number) for number, session in enumerate(newest_first))
    return "".join(_session_first(row) if other_links else row for row in rows)


def _session_first(row: str) -> str:
    return re.sub(r"\?(p=view_session)(&(?:amp;)?)(id=[0-9]+)", r"?\3\2\1", row)


def _row(session: SampleSession, spelling: Spelling, number: int) -> str:
    figures = session_figures(session)
    write = pen.time_writer(session)
    line_break = pen.line_break(spelling, number)
    times = ""
    if figures.fastest is not None and figures.average is not None:
        times = f"Fast: {write(figures.fastest)}{line_break}Avg: {write(figures.average)}"
    return templates.repeated("list_row", spelling).fill(
        amp=pen.ampersand(spelling, number),
        br=line_break,
        id=session.session_id,
        driver=pen.label(spelling, session.driver, 28),
        kind=pen.label(spelling, _kind(session), 28),
        sort_start=session.start.isoformat(" "),
        start=wording.clock(session.start),
        laps=str(figures.laps),
        length=wording.length(figures.length),
        sort_fast=pen.optional(pen.time_writer(session, "plain"), figures.fastest) or "0",
        times=times,
    )


def _kind(session: SampleSession) -> str:
    if session.transponder is None:
        return session.class_name
    return f"{session.class_name} ({session.transponder})"


def _laps_by_class(figures: DayFigures, spelling: Spelling) -> str:
    slices = [{"label": name, "data": laps} for name, laps in figures.laps_by_class]
    return pen.literal(spelling, slices, 28)


def _leaderboard(figures: DayFigures, spelling: Spelling) -> str:
    if figures.overall is None:
        return ""
    rows = [_leader("list_overall", figures.overall, spelling, 0)]
    rows += [
        _leader("list_leader", leader, spelling, number) for number, leader in enumerate(figures.leaders, 1)
    ]
    return "".join(rows)


def _leader(part: str, leader: Fastest, spelling: Spelling, number: int) -> str:
    return templates.repeated(part, spelling).fill(
        amp=pen.ampersand(spelling, number),
        id=leader.session.session_id,
        time=pen.time_writer(leader.session)(leader.millis),
        driver=escape(leader.session.driver),
        class_name=escape(leader.session.class_name),
    )
