"""`lapstream rebuild` and `lapstream verify`: tables made anew from their topic, and compared."""

import contextlib
import datetime as dt
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from consumers.projection import Projection
from ops.cli.arguments import run
from ops.cli.output import JsonFlag, clean, note, out, print_json, progress_bar
from ops.garbage import collect_seldom
from ops.projections import PROJECTIONS
from ops.replay import operating, states, swapping
from ops.replay.replaying import Progress as Standing
from ops.replay.report import lines
from ops.replay.states import SwapWaits
from ops.replay.work import Show, kept_name
from ops.settings import read_settings
from store.rebuilds import Rebuild, State

DIFFERS = 3


def _projection(text: str) -> Projection[Any]:
    for one in PROJECTIONS:
        if one.name == text:
            return one
    raise typer.BadParameter(f"{text!r} is no projection: {', '.join(one.name for one in PROJECTIONS)}")


def _moment(text: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time: 2025-10-25T12:00:00 is expected, in UTC") from error
    if found.microsecond:
        raise typer.BadParameter(f"{text!r}: whole seconds are expected")
    return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)


ProjectionName = typer.Argument(
    parser=_projection, metavar="PROJECTION", help=f"One of {', '.join(one.name for one in PROJECTIONS)}."
)

CopyFolder = Annotated[
    Path | None,
    typer.Option(
        "--export",
        metavar="DIR",
        help="Read what the topic's beginning has lost from this folder of `lapstream log export`.",
    ),
]


def rebuild(  # noqa: PLR0913 - each is an option of the command line
    projection: Annotated[Projection[Any] | None, ProjectionName] = None,
    *,
    until: Annotated[
        dt.datetime | None,
        typer.Option(
            parser=_moment, metavar="TIME", help="Make the tables as of this moment, beside the live ones."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Swap whatever the comparison finds.")] = False,
    export: CopyFolder = None,
    status: Annotated[bool, typer.Option("--status", help="Tell of the newest rebuilds.")] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Take the newest swap back.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Have it stop after the batch at hand.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a paused one, here.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="End it, and throw its tables away.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a projection's tables anew from its topic, compare them with the live ones, and swap them in.

    Readers and the live projection go on meanwhile. It may be killed at any point: the same command goes on.
    Exits with 0 when the tables are swapped, with 3 when they wait for somebody to look (--yes swaps them).

    Example: lapstream rebuild practice-days
    """
    if sum((status, rollback, pause, resume, cancel)) > 1:
        raise typer.BadParameter("one of --status, --rollback, --pause, --resume and --cancel at a time")
    settings = read_settings()
    if status:
        _show_recent(run(operating.recent(settings, projection)), as_json=as_json)
        return
    if projection is None:
        raise typer.BadParameter("which PROJECTION?")
    purpose = "swap" if until is None else "until"
    if rollback:
        found = run(swapping.take_back(settings, projection))
    elif cancel:
        found = run(operating.cancel(settings, projection, purpose, until))
    elif pause:
        found = run(operating.pause(settings, projection, purpose, until, paused=True))
    else:
        if resume:
            run(operating.pause(settings, projection, purpose, until, paused=False))
        collect_seldom()
        with _screen(projection.name) as show:
            found = _rebuilt(
                states.rebuild(settings, projection, purpose, show, until=until, accept=yes, export=export)
            )
    _tell(projection, found, as_json=as_json)


def _rebuilt(work: Coroutine[Any, Any, Rebuild]) -> Rebuild:
    """The rebuild; where its swap waits, what somebody is to look at is printed."""
    try:
        return run(work)
    except SwapWaits as error:
        for line in lines(error.report):
            note(line)
        raise


def verify(
    projection: Annotated[Projection[Any], ProjectionName],
    *,
    export: CopyFolder = None,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="End one that was begun, and throw its tables away.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Tell whether a projection's tables are what its topic says, and name the rows that are not.

    Exits with 0 when they are, with 3 when some rows differ.

    Example: lapstream verify practice-days
    """
    settings = read_settings()
    if cancel:
        _tell(projection, run(operating.cancel(settings, projection, "verify")), as_json=as_json)
        return
    collect_seldom()
    with _screen(projection.name) as show:
        found = run(states.rebuild(settings, projection, "verify", show, export=export))
    report = states.report_of(found)
    _tell(projection, found, as_json=as_json)
    if report is not None and not report.equal:
        raise typer.Exit(DIFFERS)


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
        return f"paused while {found.state}; `lapstream rebuild {projection.name} --resume` goes on"
    kept = kept_name(projection)
    return {
        "swapped": f"swapped; the tables of before are kept in {kept}, `--rollback` puts them back",
        "rolled_back": f"taken back; the rebuilt tables are kept in {kept}; the projector goes on from there",
        "built": f"as of {found.until} in {found.shadow}; `--until … --cancel` throws the tables away",
        "checked": "compared; nothing was changed",
        "cancelled": "cancelled; its tables are thrown away",
    }[found.state]


def _show_recent(found: list[Rebuild], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    table = Table("Projection", "For", "State", "Begun", "Moved", "Records", "Newest record")
    for one in found:
        table.add_row(
            one.projection,
            one.purpose,
            f"{one.state}, paused" if one.paused and one.open else one.state,
            f"{one.created_at:%Y-%m-%d %H:%M:%S}",
            f"{one.moved_at:%H:%M:%S}",
            f"{one.records_done:,}/{one.records_total:,}",
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
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("records, {task.fields[newest]}, {task.fields[rate]}"),
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
