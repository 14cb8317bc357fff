"""`lapstream backfills`: the months that were asked for, how far each is, and what to do about one."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from lapstream.cli.arguments import AnyTrack, JsonFlag
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import backfill_list as work
else:
    work = later("lapstream.cli.backfill_list")

app = typer.Typer(help="Look at backfills, let the fleet go on with one, or cancel it.", no_args_is_help=True)

BackfillId = Annotated[UUID, typer.Argument(metavar="BACKFILL", help="The backfill's id.")]


@app.command("list")
def list_backfills(
    *,
    track: AnyTrack = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many at most.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """List backfills, the newest first.

    Example: lapstream backfills list --track canberraoffroad
    """
    work.list_backfills(track, limit, as_json=as_json)


@app.command("show")
def show_backfill(backfill: BackfillId, *, as_json: JsonFlag = False) -> None:
    """Show a backfill: its days and months, what failed and why, and what it does at present.

    Example: lapstream backfills show 463a76b4-fbd2-485d-a125-e9a3d2a6fedb
    """
    work.show_backfill(backfill, as_json=as_json)


@app.command("retry")
def retry_backfill(backfill: BackfillId, *, as_json: JsonFlag = False) -> None:
    """Let the fleet go on with a backfill, and try again what failed.

    Example: lapstream backfills retry 463a76b4-fbd2-485d-a125-e9a3d2a6fedb
    """
    work.retry_backfill(backfill, as_json=as_json)


@app.command("cancel")
def cancel_backfill(backfill: BackfillId, *, as_json: JsonFlag = False) -> None:
    """Ask for no further day of a backfill; one that is being imported comes in, and what came stays.

    Example: lapstream backfills cancel 463a76b4-fbd2-485d-a125-e9a3d2a6fedb
    """
    work.cancel_backfill(backfill, as_json=as_json)
