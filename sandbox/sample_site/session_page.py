"""The session page: statistics, and every lap as text and as data.

In: a day and one of its sessions. Out: the page's bytes, in either spelling.
"""

import datetime as dt
from html import escape

from sandbox.sample_site import lap_data, pen, templates, wording
from sandbox.sample_site.day_list import notice
from sandbox.sample_site.figures import SessionFigures, session_figures
from sandbox.sample_site.model import SampleDay, SampleLap, SampleSession, SessionQuirk
from sandbox.sample_site.templates import Spelling

_CELL = 24
_RANGE_REMARK = "Laps outside of this range are not counted in the stats."


def render_session(day: SampleDay, session: SampleSession, *, spelling: Spelling = "served") -> bytes:
    """The page of one session."""
    figures = session_figures(session)
    date = wording.long_date(session.start.date())
    content = templates.whole("session", spelling).fill(
        driver=escape(session.driver),
        rows=_rows(session, figures, spelling),
        laps=_laps_as_text(session, figures, spelling),
        lap_data=lap_data.script(session, spelling),
    )
    return pen.page(
        spelling,
        title=f"{day.track_name} :: Practice Session for {session.driver} on {date}"
        f" at {wording.clock(session.start)}",
        track=day.track_name,
        heading="Practice Session",
        date=date,
        content=content,
    )


def render_unknown_session(track_name: str, *, spelling: Spelling = "served") -> bytes:
    """What the site answers to an id that it doesn't know: a page without the table, with status 200."""
    return pen.page(
        spelling,
        title=f"{track_name} :: Practice Session",
        track=track_name,
        heading="Practice Session",
        content=notice(spelling, "Practice Session", "The practice session could not be found."),
    )


def _rows(session: SampleSession, figures: SessionFigures, spelling: Spelling) -> str:
    write, clock = pen.time_writer(session), pen.time_writer(session, "clock")
    cells = [("Driver", [session.driver]), ("Class", [session.class_name])]
    if SessionQuirk.NO_TRANSPONDER_ROW not in session.quirks:
        cells.append(("Transponder", [session.transponder or ""]))
    cells += [
        ("Session Time", _session_time(session, figures)),
        ("Num Laps", [str(figures.laps)]),
        ("Fastest Lap", [pen.optional(write, figures.fastest)]),
        ("Top 3 Consec", [pen.optional(clock, figures.top_3_consecutive)]),
        ("Averages", _averages(figures, write)),
    ]
    rows = [_row(spelling, name, [escape(text) for text in texts]) for name, texts in cells]
    valid_range = [wording.valid_range(*session.valid_range), f"<small>{_RANGE_REMARK}</small>"]
    return "".join([*rows, _row(spelling, "Valid Lap Range", valid_range)])


def _row(spelling: Spelling, name: str, lines: list[str]) -> str:
    return templates.repeated("session_row", spelling).fill(
        name=name, value=pen.lines(spelling, lines, _CELL)
    )


def _session_time(session: SampleSession, figures: SessionFigures) -> list[str]:
    return [
        f"Date: {wording.long_date(session.start.date())}",
        f"Start: {wording.clock(session.start)}",
        f"End: {wording.clock(figures.end)}",
        f"Length of Session: {wording.length(figures.length)}",
    ]


def _averages(figures: SessionFigures, write: pen.TimeWriter) -> list[str]:
    consistency = "" if figures.consistency is None else f"{figures.consistency:.3f}%"
    return [
        f"Avg: {pen.optional(write, figures.average)}",
        f"Top 5: {pen.optional(write, figures.top_5)}",
        f"Top 10: {pen.optional(write, figures.top_10)}",
        f"Top 15: {pen.optional(write, figures.top_15)}",
        f"Std Deviation: {pen.optional(write, figures.deviation)}",
        f"Consistency: {consistency}",
    ]


def _laps_as_text(session: SampleSession, figures: SessionFigures, spelling: Spelling) -> str:
    if SessionQuirk.NO_LAPS_SHOWN in session.quirks:
        return ""
    write = pen.time_writer(session)
    fastest = next((lap for lap in session.laps if lap.is_valid and lap.millis == figures.fastest), None)
    indent = " " * 18 if spelling == "saved" else ""
    spans: list[str] = []
    for number, lap in enumerate(_shown(session), 1):
        mark = "" if lap.is_valid else "*"
        css = ' class="fast_lap"' if session.laps[number - 1] is fastest else ""
        spans.append(f"{indent}<span{css}>Lap {number}: {write(lap.millis)}{mark}</span>\n")
    return "".join(spans)


def _shown(session: SampleSession) -> tuple[SampleLap, ...]:
    if SessionQuirk.TEXT_DISAGREES not in session.quirks or len(session.laps) < 2:
        return session.laps
    first, second, *rest = session.laps
    later = second.ended_at + dt.timedelta(seconds=1)
    return (first, SampleLap(second.millis + 1000, later, second.is_valid), *rest)
