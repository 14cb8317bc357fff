"""Imports on the terminal: what came of them, and what is done about one."""

import asyncio
from uuid import UUID

from msgspec import Struct
from rich.table import Table

from ops import follow
from ops.cli.imports import showing, tell
from ops.cli.output import clean, note, out, print_json
from ops.database import connected
from ops.settings import Settings, read_settings
from store import run_changes, runs
from store.run_changes import RunNotFound
from store.runs import Run, RunCounts, RunFailure, RunProgress, RunState


class RunView(Struct, frozen=True, kw_only=True):
    """A run with how far it is, and what failed."""

    run: Run
    progress: RunProgress
    counts: RunCounts
    failures: list[RunFailure]


def list_runs(track: str | None, state: RunState | None, limit: int, *, as_json: bool) -> None:
    """List imports, the newest first."""
    found = asyncio.run(_find(read_settings(), track, state, limit))
    if as_json:
        print_json(found)
        return
    table = Table("Run", "Day", "State", "Attempt", "Requested", "Seconds", "Laps", "Failed")
    for one in found:
        counts = one.counts or RunCounts()
        table.add_row(
            str(one.id),
            one.source_event_id,
            one.state,
            str(one.attempt),
            f"{one.requested_at:%Y-%m-%d %H:%M:%S}",
            f"{one.duration_seconds:.1f}",
            str(counts.laps_ingested),
            str(counts.sessions_detail_failed),
        )
    out.print(table)


async def _find(settings: Settings, track: str | None, state: RunState | None, limit: int) -> list[Run]:
    async with connected(settings) as connection:
        return await runs.find(connection, track_slug=track, state=state, limit=limit)


def show_run(run_id: UUID, *, as_json: bool) -> None:
    """Show an import: how far it is or what it came to, and each session that failed."""
    view = asyncio.run(_view(read_settings(), run_id))
    if as_json:
        print_json(view)
        return
    table = Table(title=f"{view.run.source_event_id}: {view.run.state}", show_header=False)
    for name in ("attempt", "refresh", "requested_at", "finished_at"):
        table.add_row(name.replace("_", " "), str(getattr(view.run, name)))
    for name in RunCounts.__struct_fields__:
        table.add_row(name.replace("_", " "), str(getattr(view.counts, name)))
    table.add_row("sessions waiting", str(view.progress.waiting))
    out.print(table)
    if view.run.error:
        note(f"{view.run.error.code}: {view.run.error.message}")
    for failure in view.failures:
        note(f"session {failure.session_id} failed: {clean(failure.message)}")


async def _view(settings: Settings, run_id: UUID) -> RunView:
    async with connected(settings) as connection:
        found = await runs.read(connection, run_id)
        if found is None:
            raise RunNotFound(f"there is no run {run_id}: `lapstream runs list` shows what there is")
        return RunView(
            run=found,
            progress=await runs.progress(connection, run_id),
            counts=found.counts or await runs.counts_so_far(connection, run_id),
            failures=await runs.failures(connection, run_id),
        )


def retry_run(run_id: UUID, *, as_json: bool) -> None:
    """Try the failed sessions of an import again, and tell what it came to."""
    settings = read_settings()
    with showing(f"run {run_id}") as screen:
        summary = asyncio.run(follow.retry(settings, run_id, screen))
    tell(summary, as_json=as_json)


def cancel_run(run_id: UUID, *, as_json: bool) -> None:
    """Cancel an import."""
    found = asyncio.run(_cancel(read_settings(), run_id))
    if as_json:
        print_json(found)
    else:
        out.print(f"run {found.id} is {found.state}")


async def _cancel(settings: Settings, run_id: UUID) -> Run:
    async with connected(settings) as connection:
        run, _ = await run_changes.cancel(connection, run_id)
        return run
