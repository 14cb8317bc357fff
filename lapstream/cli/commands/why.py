"""`lapstream why`: where a row comes from."""

from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import JsonFlag
from lapstream.cli.later import later
from ops.provenance.answer import TABLES, Table

if TYPE_CHECKING:
    from lapstream.cli import why as work
else:
    work = later("lapstream.cli.why")


def _table(text: str) -> Table:
    for one in TABLES:
        if text in {one, one.rpartition(".")[2]}:
            return one
    raise typer.BadParameter(f"{text!r} is no table to ask about: {', '.join(TABLES)}")


def why(
    table: Annotated[
        Table, typer.Argument(parser=_table, metavar="TABLE", help=f"One of {', '.join(TABLES)}.")
    ],
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="The row's id, or its name as `lapstream verify` prints it.")
    ],
    *,
    as_json: JsonFlag = False,
) -> None:
    """Tell where a row comes from: the events that set it, their pages, when they were seen, and by whom.

    KEY may be short: TRACK, TRACK/DATE, TRACK/DATE/SESSION, and of laps TRACK/DATE/SESSION/LAP; a driver is
    named by the transponder.

    Example: lapstream why laps canberraoffroad/2025-10-25/21290331/3
    """
    work.why(table, key, as_json=as_json)
