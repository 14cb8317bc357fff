"""The records that could not be applied, looked at, and brought to an end."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn

from lapstream.cli.database import on_database
from lapstream.cli.output import clean, note, out, print_json, progress_bar
from lapstream.cli.parked_show import all_of, entries, show_counts, show_heads, show_outcomes, show_record
from ops.parked import mending as parking
from ops.parked import queries as parked
from ops.parked.mending import Fix
from ops.parked.queries import Count, Head, ParkedState, RecordPlace, Selection
from ops.parked.redrive import Redrive, RedriveOutcome, sending
from runtime.database import database
from runtime.settings import Settings, read_settings
from store.pool import Connection

ANY = "any"
"""All states of a record."""

UNFINISHED = 1
"""The exit code where a record could not be redriven."""


def selected(at: tuple[str, int, int] | None, state: str = ParkedState.parked, **filters: Any) -> Selection:
    """The records that these filters let through, as a `Selection` has them; the state may be `any`."""
    place = None if at is None else RecordPlace(*at)
    return Selection(place=place, state=None if state == ANY else ParkedState(state), **filters)


def show_list(selection: Selection, page: int, size: int, *, as_json: bool) -> None:
    """Count a selection's records by kind of fault, and list a page of them, each once."""
    (total, counts), heads = on_database(partial(_list, selection=selection, page=page, size=size))
    if as_json:
        print_json({"total": total, "page": page, "counts": counts, "records": entries(heads)})
        return
    if not counts:
        out.print("nothing is parked" if selection.state is ParkedState.parked else "no such record")
        return
    show_counts(counts)
    show_heads(heads)
    out.print(f"page {page} of {-(-total // size)}")


async def _list(
    connection: Connection, selection: Selection, page: int, size: int
) -> tuple[tuple[int, list[Count]], list[Head]]:
    counts = await parked.count(connection, selection)
    return counts, await parked.find(connection, selection, limit=size, skip=size * (page - 1))


def show(at: tuple[str, int, int], group: str | None, *, as_json: bool) -> None:
    """Show one parked record, with its bytes, and what became of it in each group that parked it."""
    copies = on_database(partial(parking.read_copies, place=RecordPlace(*at), group=group))
    same = [one for one in copies if one.known_by == copies[0].known_by]
    if as_json:
        print_json(all_of(same))
    else:
        show_record(same)
    for other in copies:
        if other not in same:
            note(f"{other.group} parked another record at this place: `--group {other.group}` shows it")


def redrive(selection: Selection, *, dry_run: bool, as_json: bool) -> None:
    """Run parked records through the code as it is now; exits with 1 where a record stays parked."""
    outcomes = asyncio.run(_redrive(read_settings(), selection, dry_run=dry_run))
    staying = [outcome for outcome in outcomes if not outcome.redriven]
    if as_json:
        numbers = {"redriven": len(outcomes) - len(staying), "still_parked": len(staying)}
        print_json({"dry_run": dry_run, **numbers, "records": outcomes})
    else:
        show_outcomes(outcomes, staying, dry_run=dry_run)
    if staying:
        raise typer.Exit(UNFINISHED)


async def _redrive(settings: Settings, selection: Selection, *, dry_run: bool) -> list[RedriveOutcome]:
    async with database(settings, size=1) as pool:
        async with pool.acquire() as connection:
            heads = await parked.find(connection, selection)
        with _progress("redriving", len(heads)) as progress:
            way = Redrive(pool, settings.broker, settings.topics, None if dry_run else parking.somebody())
            return await way.redrive(heads, progress)


@contextlib.contextmanager
def _progress(what: str, total: int) -> Generator[Callable[[int], None]]:
    """Progress on stderr, for the length of a block, which says how many records more are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with progress_bar(*columns) as progress:
        task = progress.add_task(what, total=total)
        yield lambda records: progress.advance(task, records)


def publish_fixed(at: tuple[str, int, int], file: Path, type_name: str | None, *, as_json: bool) -> None:
    """Publish a mended event, and mark the bad record fixed."""
    new = on_database(partial(_publish_fixed, fix=Fix(RecordPlace(*at), file.read_bytes(), type_name)))
    if as_json:
        print_json({"state": ParkedState.fixed, "new": new._asdict()})
    else:
        out.print(f"published as {parking.where(new)}; the bad record is marked fixed")


async def _publish_fixed(connection: Connection, fix: Fix) -> RecordPlace:
    settings = read_settings()
    sender = sending(settings.broker)
    return await parking.publish_fixed(connection, sender, settings.topics, fix, parking.somebody())


def discard(selection: Selection, reason: str, *, yes: bool, as_json: bool) -> None:
    """Give parked records up, where that is confirmed."""
    heads = on_database(partial(parked.find, selection=selection))
    if heads and not yes:
        typer.confirm(f"Discard {_said(heads)}?", abort=True, err=True)
    keys = [head.at for head in heads]
    giving_up = partial(parked.discarded, keys=keys, reason=reason, by=parking.somebody())
    discarded = on_database(giving_up)
    if as_json:
        print_json({"discarded": discarded})
    else:
        out.print(f"{discarded} discarded")


def _said(heads: list[Head]) -> str:
    """How many records these are, and which faults they have; by how many groups, where these are several."""
    records = len({head.place for head in heads})
    faults = Counter(code for _, code in {(head.place, head.code) for head in heads}).most_common()
    groups = {head.group for head in heads}
    by = f", parked by {len(groups)} groups" if len(groups) > 1 else ""
    return clean(
        f"{records} parked record(s){by}: {', '.join(f'{number} {code}' for code, number in faults)}"
    )


def export(selection: Selection, file: Path, *, overwrite: bool, as_json: bool) -> None:
    """Write parked records to a file."""
    heads = on_database(partial(parked.find, selection=selection))
    with _progress("exporting", len(heads)) as progress:
        on_database(partial(parking.export_to, heads=heads, file=file, overwrite=overwrite, show=progress))
    if as_json:
        print_json({"file": str(file), "records": len(heads)})
    else:
        out.print(clean(f"{len(heads)} record(s) written to {file}"), soft_wrap=True)
