"""The laps of sessions with their figures, on the terminal."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import cast
from uuid import UUID

from msgspec.structs import asdict

from laps.figures import LapKind, kind_of, to_best
from laps.naming import NotFound, the_session
from laps.people import whose_called
from laps.rows import LapRow, lap_rows
from laps.sessions import FigureCheck, SessionReport, report_of
from lapstream.cli.database import on_database
from lapstream.cli.forms import Form, clock, form_of, print_csv, seconds, text
from lapstream.cli.output import out, print_json
from lapstream.cli.tables import Listing
from lapstream.cli.where import Where
from producer.site import SOURCE
from schemas.errors import LapstreamError
from schemas.identity import practice_event_id
from store import days
from store.pool import Connection
from store.reading import read_each, sessions_of

_MARKS: Mapping[LapKind, str] = {"best": "fastest", "mistake": "mistake", "invalid": "invalid", "": ""}


class NothingChosen(LapstreamError):
    """Neither sessions nor whose or when was said."""

    exit_code = 2


class Wanted(Where, frozen=True, kw_only=True):
    """Which sessions are asked for: those named, or else a driver's, or those of a day."""

    sessions: list[str]
    driver: str | None


def laps(wanted: Wanted, limit: int, *, as_json: bool, as_csv: bool) -> None:
    """Show the laps of sessions; raises `NothingChosen`, `NotFound` and `Ambiguous`."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    reports = on_database(partial(_reports, wanted=wanted, limit=limit))
    match form:
        case Form.json:
            print_json(reports)
        case Form.csv:
            print_csv(LapRow, (row for report in reports for row in lap_rows(report)))
        case Form.table:
            for report in reports:
                show(report)


async def _reports(connection: Connection, *, wanted: Wanted, limit: int) -> list[SessionReport]:
    """The sessions that are asked for; raises `NotFound` where there is none."""
    found = await read_each(connection, await _chosen(connection, wanted, limit))
    if not found:
        raise NotFound("no session is stored that you asked for: `lapstream days` lists what is there")
    return [report_of(session) for session in found]


async def _chosen(connection: Connection, wanted: Wanted, limit: int) -> list[UUID]:
    source, scope = wanted.source, wanted.scope
    if wanted.sessions:
        return [await the_session(connection, name, source=source) for name in wanted.sessions]
    if wanted.driver:
        whose = await whose_called(connection, wanted.driver, source=source, within=scope)
        driven = await sessions_of(connection, whose, within=scope, limit=limit)
        return [session.id for session in driven]
    if wanted.track and wanted.date:
        day = await days.read_day(connection, practice_event_id(source or SOURCE, wanted.track, wanted.date))
        sessions = day.sessions if day else []
        return [one.id for one in sessions if wanted.class_name in {None, one.class_name}][:limit]
    raise NothingChosen("which sessions? Name some, or a --driver, or a --track with a --date")


def show(report: SessionReport) -> None:
    """Print a session's laps, and its figures beside the site's."""
    right = ("Lap", "Time [s]", "To the fastest [s]")
    table = Listing(*right, "At", "Mark", right=right, title=named(report))
    if figures := report.figures:
        for lap in report.laps:
            mark, behind = _MARKS[kind_of(lap, figures)], seconds(to_best(lap, figures))
            table.add(str(lap.lap_number), seconds(lap.lap_time_seconds), behind, clock(lap.lapped_at), mark)
    out.print(table)
    if figures:
        _show_figures(report)


def named(report: SessionReport) -> str:
    """A session as racers call it: driver, class, run, and where and when."""
    when = "" if report.start_time is None else f" {report.start_time:%H:%M:%S}"
    return (
        f"{text(report.driver_name)}, {text(report.class_name)}, run {report.run}: "
        f"{report.track_slug} {report.date}{when}, session {report.session_id}"
    )


def _show_figures(report: SessionReport) -> None:
    """Print the figures: ours, the site's, and where the two differ."""
    right = ("Ours", "Site's")
    table = Listing("Figure", *right, "Check", worded={"Figure"}, right=right)
    checks = {check.figure: check for check in report.checks}
    for name, value in figures_of(report):
        check = checks.get(name)
        table.add(name.replace("_", " "), value, _site(check), "differs" if check and check.differs else "")
    out.print(table)


def _site(check: FigureCheck | None) -> str:
    if check is None:
        return "-"
    return str(int(check.site or 0)) if check.figure == "laps_completed" else seconds(check.site)


def figures_of(report: SessionReport) -> Iterable[tuple[str, str]]:
    """The figures of a session by name, as they are shown."""
    for name, value in asdict(report.figures).items() if report.figures else ():
        match value:
            case tuple():
                yield name, str(len(cast("tuple[int, ...]", value)))
            case int():
                yield name, str(value)
            case _:
                yield name, seconds(value)
