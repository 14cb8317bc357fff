"""Whether the installation is well, on one screen."""

import asyncio
from collections.abc import Sequence

import typer

from lapstream.cli.lag import looking
from lapstream.cli.output import clean, note, out, print_json
from lapstream.cli.tables import Listing
from ops.lag.figures import GroupLag
from ops.status.lines import Line, Status
from ops.status.looking import look
from runtime.settings import Settings, read_settings

NOT_WELL = 3
"""The exit code where something is not well."""

_WORDS = {True: "ok", False: "not well", None: "unknown"}


def show(*, as_json: bool) -> None:
    """Show the status; exits with 3 where something is not well, and says what."""
    found = asyncio.run(_look(read_settings()))
    print_json(found) if as_json else out.print(_table(found.lines))
    if not found.well:
        note(f"not well: {', '.join(found.unwell)}")
        raise typer.Exit(NOT_WELL)


async def _look(settings: Settings) -> Status:
    async with looking(settings) as lag:

        async def groups() -> Sequence[GroupLag]:
            return (await lag.look()).groups

        return await look(settings, groups)


def _table(lines: Sequence[Line]) -> Listing:
    table = Listing("What", "State", "Found", folded={"What", "Found"})
    for line in lines:
        table.add(clean(line.name), _WORDS[line.well], clean(line.found))
    return table
