"""Imports on the terminal: what came of them, and what is done about one."""

import asyncio
from functools import partial
from itertools import chain
from uuid import UUID

import msgspec
from msgspec import Struct

from lapstream.cli.database import on_database
from lapstream.cli.imports import print_summary, showing
from lapstream.cli.output import clean, note, out, print_json
from lapstream.cli.tables import Listing, facts, facts_of
from ops.imports import follow
from runs import changes as run_changes
from runs import run as runs
from runs.changes import RunNotFound
from runs.run import Run, RunCounts, RunFailure, RunProgress, RunState
from runtime.settings import read_settings
from schemas.errors import LapstreamError
from store.pool import Connection

SHORT_ID = 8
"""So many digits of a run's id are listed; commands take any beginning that no other run has."""


class RunAmbiguous(LapstreamError):
    """Several runs' ids begin so."""


def short(run_id: UUID) -> str:
    """The beginning of a run's id."""
    return run_id.hex[:SHORT_ID]


class RunView(Struct, frozen=True, kw_only=True):
    """A run with how far it is, and what failed."""

    run: Run
    progress: RunProgress
    counts: RunCounts
    failures: list[RunFailure]


def list_runs(track: str | None, state: RunState | None, limit: int, *, as_json: bool) -> None:
    """List imports, the newest first."""
    found = on_database(partial(runs.find, track_slug=track, state=state, limit=limit))
    if as_json:
        print_json(found)
        return
    headings = ("Run", "Track", "Date", "State", "Requested", "Laps", "Failed")
    table = Listing(*headings, folded={"Track"}, right={"Laps", "Failed"})
    for one in found:
        counts = one.counts or RunCounts()
        table.add(
            short(one.id),
            one.track_slug,
            str(one.date),
            one.state,
            f"{one.requested_at:%Y-%m-%d %H:%M}",
            str(counts.laps_ingested),
            str(counts.sessions_detail_failed),
        )
    out.print(table)


def show_run(run: str, *, as_json: bool) -> None:
    """Show an import: how far it is or what it came to, and each session that failed."""
    view = on_database(partial(_view, digits=run))
    if as_json:
        print_json(view)
        return
    names = ("id", "attempt", "refresh", "requested_at", "finished_at", "duration_seconds")
    about = facts_of({name: getattr(view.run, name) for name in names})
    counts = facts_of(msgspec.structs.asdict(view.counts) | {"sessions_waiting": view.progress.waiting})
    out.print(facts(f"{view.run.source_event_id}: {view.run.state}", chain(about, counts)))
    if view.run.error:
        note(f"{view.run.error.code}: {view.run.error.message}")
    for failure in view.failures:
        note(f"session {failure.session_id} failed: {clean(failure.message)}")


async def _view(connection: Connection, digits: str) -> RunView:
    run_id = await _named(connection, digits)
    found = await runs.read(connection, run_id)
    if found is None:
        raise _not_found(digits)
    return RunView(
        run=found,
        progress=await runs.progress(connection, run_id),
        counts=found.counts or await runs.counts_so_far(connection, run_id),
        failures=await runs.failures(connection, run_id),
    )


async def _named(connection: Connection, digits: str) -> UUID:
    """The one run whose id begins so; raises `RunNotFound` and `RunAmbiguous`."""
    match await runs.named(connection, digits):
        case []:
            raise _not_found(digits)
        case [run_id]:
            return run_id
        case several:
            names = " and ".join(map(str, several))
            raise RunAmbiguous(f"more than one run's id begins with {digits}, as {names} do: give more of it")


def _not_found(digits: str) -> RunNotFound:
    return RunNotFound(f"there is no run {digits}: `lapstream runs list` shows what there is")


def retry_run(run: str, *, as_json: bool) -> None:
    """Try the failed sessions of an import again, and tell what it came to."""
    run_id = on_database(partial(_named, digits=run))
    with showing(f"run {short(run_id)}") as screen:
        summary = asyncio.run(follow.retry(read_settings(), run_id, screen))
    print_summary(summary, as_json=as_json)


def cancel_run(run: str, *, as_json: bool) -> None:
    """Cancel an import."""
    found = on_database(partial(_cancel, digits=run))
    if as_json:
        print_json(found)
    else:
        out.print(f"run {found.id} is {found.state}")


async def _cancel(connection: Connection, digits: str) -> Run:
    run, _ = await run_changes.cancel(connection, await _named(connection, digits))
    return run
