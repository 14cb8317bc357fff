"""`lapstream runs`: the imports that were asked for, what came of them, and what to do about one."""

from typing import Annotated
from uuid import UUID

import typer
from msgspec import Struct
from rich.table import Table

from ops import follow
from ops.cli.arguments import run
from ops.cli.imports import showing, tell
from ops.cli.output import JsonFlag, clean, note, out, print_json
from ops.settings import Settings, read_settings
from ops.wiring import connected
from store import run_changes, runs
from store.run_changes import RunNotFound
from store.runs import Run, RunCounts, RunFailure, RunProgress, RunState

app = typer.Typer(help="Look at imports, try failed sessions again, or cancel one.", no_args_is_help=True)

RunId = Annotated[UUID, typer.Argument(metavar="RUN", help="The run's id.")]


class RunView(Struct, frozen=True, kw_only=True):
    """A run with how far it is, and what failed."""

    run: Run
    progress: RunProgress
    counts: RunCounts
    failures: list[RunFailure]


@app.command("list")
def list_runs(
    *,
    track: Annotated[str | None, typer.Option(help="Only those of this track.")] = None,
    state: Annotated[
        str | None, typer.Option(help="Only those that are running, completed, partial, failed or cancelled.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """List imports, the newest first.

    Example: lapstream runs list --state failed
    """
    found = run(_find(read_settings(), track, _checked_state(state), limit))
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


_STATES: dict[str, RunState] = {
    "running": "running",
    "completed": "completed",
    "partial": "partial",
    "failed": "failed",
    "cancelled": "cancelled",
}


def _checked_state(text: str | None) -> RunState | None:
    if text is not None and text not in _STATES:
        raise typer.BadParameter(f"{text!r} is no state of a run: {', '.join(_STATES)}")
    return None if text is None else _STATES[text]


async def _find(settings: Settings, track: str | None, state: RunState | None, limit: int) -> list[Run]:
    async with connected(settings) as connection:
        return await runs.find(connection, track_slug=track, state=state, limit=limit)


@app.command("show")
def show_run(run_id: RunId, *, as_json: JsonFlag = False) -> None:
    """Show an import: how far it is or what it came to, and each session that failed.

    Example: lapstream runs show ed629a62-949c-4dbd-9f18-093ae9ef682a
    """
    view = run(_view(read_settings(), run_id))
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


@app.command("retry")
def retry_run(run_id: RunId, *, as_json: JsonFlag = False) -> None:
    """Try the failed sessions of an import again, in the same run; or its list, where that failed.

    Exits as `lapstream ingest` does.

    Example: lapstream runs retry ed629a62-949c-4dbd-9f18-093ae9ef682a
    """
    settings = read_settings()
    with showing(f"run {run_id}") as show:
        summary = run(follow.retry(settings, run_id, show))
    tell(summary, as_json=as_json)


@app.command("cancel")
def cancel_run(
    run_id: RunId,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Cancel an import: what it has not fetched yet is not fetched; what came stays.

    Example: lapstream runs cancel ed629a62-949c-4dbd-9f18-093ae9ef682a --yes
    """
    if not yes:
        typer.confirm(f"Cancel run {run_id}?", abort=True, err=True)
    found = run(_cancel(read_settings(), run_id))
    if as_json:
        print_json(found)
    else:
        out.print(f"run {found.id} is {found.state}")


async def _cancel(settings: Settings, run_id: UUID) -> Run:
    async with connected(settings) as connection:
        run, _ = await run_changes.cancel(connection, run_id)
        return run
