"""The records of a track, on the terminal."""

from collections.abc import Sequence
from functools import partial

from lapstream.cli.database import on_database
from lapstream.cli.forms import form_of, print_rows, seconds, text
from lapstream.cli.output import out
from lapstream.cli.tables import Listing
from producer.site import SOURCE
from store.pool import Connection
from store.records import RecordStep, read_history


def records(
    track: str, class_name: str | None, source: str | None, *, history: bool, as_json: bool, as_csv: bool
) -> None:
    """Show the records of a track's classes, or of one; with their history, those that were broken too."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    found = on_database(
        partial(_read, track=track, class_name=class_name, source=source or SOURCE, history=history)
    )
    print_rows(RecordStep, found, form, show)


async def _read(
    connection: Connection, *, track: str, class_name: str | None, source: str, history: bool
) -> list[RecordStep]:
    steps = await read_history(connection, source, track, class_name)
    return steps if history else list({step.class_name: step for step in steps}.values())


def show(records: Sequence[RecordStep]) -> None:
    """Print records as a table."""
    right = ("Lap [s]", "Better by [s]")
    table = Listing("Class", *right, "Driver", "Date", "Session", folded={"Class", "Driver"}, right=right)
    for one in records:
        table.add(
            text(one.class_name),
            seconds(one.fast_lap_time),
            seconds(one.improved_by),
            text(one.driver_name),
            str(one.date),
            one.session_id,
        )
    out.print(table)
