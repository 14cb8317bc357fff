"""Pruning on the terminal: how much there is, whether it is to go, and how much went."""

import datetime as dt
from collections.abc import Mapping
from functools import partial

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from lapstream.cli.database import on_database
from lapstream.cli.output import err, out, print_json, progress_bar
from lapstream.cli.tables import Listing
from ops.prune import pruning, queries
from ops.prune.queries import Cut, Prunable, What
from runtime.settings import read_settings

NAMES: Mapping[What, str] = {
    "backfills": "finished backfills",
    "runs": "ended runs",
    "parked_records": "settled records of work queues",
    "parked_bytes": "bytes of settled records",
    "rebuilds": "finished rebuilds",
    "idempotency_keys": "Idempotency-Keys",
}


def prune(before: dt.datetime, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Count what there is, and delete it where that is confirmed, or with `yes`."""
    cut = pruning.cut_at(before, read_settings().topics)
    with err.status("counting"):
        found = on_database(partial(queries.count, cut=cut))
    going = sum(one.rows for one in found.values())
    if not (as_json or (yes and not dry_run)):
        (out if dry_run else err).print(_table(found))
    if going and not (dry_run or yes):
        question = f"Delete {going} of what ended before {before:%Y-%m-%d %H:%M} UTC?"
        typer.confirm(question, abort=True, err=True)
    pruned: Mapping[What, int] = {} if dry_run else _pruned(cut, going)
    if as_json:
        print_json({"before": before, "dry_run": dry_run, "found": found, "pruned": pruned})
    elif not dry_run:
        out.print(_said(pruned))


def _table(found: Mapping[What, Prunable]) -> Listing:
    table = Listing("What", "To delete", "Needed", right={"To delete", "Needed"})
    for what, one in found.items():
        table.add(NAMES[what], str(one.rows), str(one.kept))
    return table


def _pruned(cut: Cut, going: int) -> Mapping[What, int]:
    columns = (TextColumn("pruning"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with progress_bar(*columns) as progress:
        task = progress.add_task("pruning", total=going)
        return on_database(partial(pruning.prune, cut=cut, show=lambda rows: progress.advance(task, rows)))


def _said(pruned: Mapping[What, int]) -> str:
    parts = [f"{rows} {NAMES[what]}" for what, rows in pruned.items() if rows]
    return f"deleted: {', '.join(parts)}" if parts else "nothing was to be deleted"
