"""Tables made anew from their topic, and compared."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Coroutine, Generator
from functools import partial
from pathlib import Path
from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

from consumers.projection import Projection
from lapstream.cli.database import on_database
from lapstream.cli.output import clean, note, out, print_json, progress_bar, words
from lapstream.cli.tables import Listing
from ops.rebuild import operating, states, swapping
from ops.rebuild.queries import Purpose, Rebuild, State
from ops.rebuild.replaying import Progress as Standing
from ops.rebuild.report import lines
from ops.rebuild.states import SwapWaits
from ops.rebuild.work import Show, kept_name
from runtime.garbage import collect_seldom
from runtime.projections import PROJECTIONS
from runtime.settings import read_settings

DIFFERS = 3


def rebuild(
    name: str,
    until: dt.datetime | None,
    *,
    resume: bool,
    accept: bool,
    export: Path | None,
    as_json: bool,
) -> None:
    """Make a projection's tables anew, and swap them in."""
    settings, projection = read_settings(), _projection(name)
    purpose = _purpose(until)
    if resume:
        _paused(projection, until, paused=False)
    collect_seldom()
    with _screen(projection.name) as show:
        found = _rebuilt(
            states.rebuild(settings, projection, purpose, show, until=until, accept=accept, export=export)
        )
    _tell(projection, found, as_json=as_json)


def take_back(name: str, *, as_json: bool) -> None:
    """Take the newest swap back."""
    projection = _projection(name)
    _tell(projection, asyncio.run(swapping.take_back(read_settings(), projection)), as_json=as_json)


def pause(name: str, until: dt.datetime | None, *, as_json: bool) -> None:
    """Have a rebuild stop after the batch at hand."""
    projection = _projection(name)
    _tell(projection, _paused(projection, until, paused=True), as_json=as_json)


def _paused(projection: Projection[Any], until: dt.datetime | None, *, paused: bool) -> Rebuild:
    return on_database(
        partial(operating.pause, projection=projection, purpose=_purpose(until), until=until, paused=paused)
    )


def cancel(name: str, until: dt.datetime | None, *, as_json: bool) -> None:
    """End a rebuild, and throw its tables away."""
    projection = _projection(name)
    asked = partial(operating.cancel, projection=projection, purpose=_purpose(until), until=until)
    _tell(projection, on_database(asked), as_json=as_json)


def show_recent(name: str | None, *, as_json: bool) -> None:
    """Show the newest rebuilds, of one projection or of all."""
    projection = None if name is None else _projection(name)
    _show_recent(on_database(partial(operating.recent, projection=projection)), as_json=as_json)


def _projection(name: str) -> Projection[Any]:
    for one in PROJECTIONS:
        if one.name == name:
            return one
    raise typer.BadParameter(f"{name!r} is no projection: {', '.join(one.name for one in PROJECTIONS)}")


def _purpose(until: dt.datetime | None) -> Purpose:
    return "swap" if until is None else "until"


def _rebuilt(work: Coroutine[Any, Any, Rebuild]) -> Rebuild:
    """The rebuild; where its swap waits for a decision, the report is printed."""
    try:
        return asyncio.run(work)
    except SwapWaits as error:
        for line in lines(error.report):
            note(line)
        raise


def verify(name: str, *, export: Path | None, as_json: bool) -> None:
    """Compare a projection's tables with its topic; exits with 3 when some rows differ."""
    settings, projection = read_settings(), _projection(name)
    collect_seldom()
    with _screen(projection.name) as show:
        found = asyncio.run(states.rebuild(settings, projection, "verify", show, export=export))
    report = states.report_of(found)
    _tell(projection, found, as_json=as_json)
    if report is not None and not report.equal:
        raise typer.Exit(DIFFERS)


def cancel_verify(name: str, *, as_json: bool) -> None:
    """End a comparison that was begun, and throw its tables away."""
    projection = _projection(name)
    asked = partial(operating.cancel, projection=projection, purpose="verify")
    _tell(projection, on_database(asked), as_json=as_json)


def _tell(projection: Projection[Any], found: Rebuild, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    report = states.report_of(found)
    for line in lines(report) if report and found.state != "rolled_back" else ():
        out.print(clean(line), soft_wrap=True)
    out.print(f"{projection.name}: {_said(projection, found)}", soft_wrap=True)


def _said(projection: Projection[Any], found: Rebuild) -> str:
    """What a rebuild came to, and what can be done next."""
    if found.open:
        return f"paused while {found.state}; `lapstream rebuild resume {projection.name}` goes on"
    kept, command = kept_name(projection), "`lapstream rebuild"
    return {
        "swapped": f"swapped; the tables of before are kept in {kept}, {command} rollback` puts them back",
        "rolled_back": f"rolled back; the rebuilt tables are kept in {kept}; the projector resumes there",
        "built": f"as of {found.until} in {found.shadow}; {command} cancel … --until …` throws them away",
        "checked": "compared; nothing was changed",
        "cancelled": "cancelled; its tables are thrown away",
    }[found.state]


def _show_recent(found: list[Rebuild], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    table = Listing(
        *("Projection", "For", "State", "Begun", "Moved", "Records", "Newest record"),
        worded={"For", "State", "Begun", "Records", "Newest record"},
    )
    for one in found:
        table.add(
            one.projection,
            one.purpose,
            f"{one.state}, paused" if one.paused and one.open else one.state,
            f"{one.created_at:%Y-%m-%d %H:%M:%S}",
            f"{one.moved_at:%H:%M:%S}",
            f"{one.records_done:,} of {one.records_total:,}",
            f"{one.newest_record_at:%Y-%m-%d %H:%M:%S}" if one.newest_record_at else "-",
        )
    out.print(table)
    for one in found:
        if one.error and one.open:
            note(f"{one.projection}: {one.error}")


@contextlib.contextmanager
def _screen(name: str) -> Generator[Show]:
    """Progress on stderr: records and event time, rate, and the time that is left."""
    columns = (
        words("{task.description}"),
        BarColumn(bar_width=10),
        MofNCompleteColumn(),
        words("records, {task.fields[newest]}, {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with progress_bar(*columns) as progress:
        task = progress.add_task(f"{name}: prepared", total=None, newest="-", rate="-")

        def show(state: State, standing: Standing) -> None:
            speed = progress.tasks[0].speed
            progress.update(
                task,
                description=f"{name}: {state}",
                total=standing.total or None,
                completed=standing.done,
                newest=f"up to {standing.newest_at:%Y-%m-%d %H:%M:%S}" if standing.newest_at else "-",
                rate=f"{speed:,.0f}/s" if speed else "-",
            )

        yield show
