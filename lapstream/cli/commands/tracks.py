"""`lapstream tracks`: the site's tracks, found by their names."""

from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import CsvFlag, JsonFlag
from lapstream.cli.commands.laps import LimitOption
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import track_list as work
else:
    work = later("lapstream.cli.track_list")

app = typer.Typer(help="Find the site's tracks.", no_args_is_help=True)


@app.command()
def find(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Words of the name or slug, without accents if you like; without any, all."),
    ] = None,
    *,
    gone: Annotated[bool, typer.Option("--gone", help="Also tracks that the site no longer lists.")] = False,
    limit: LimitOption = 50,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
) -> None:
    """Find tracks in the site's own list of them, and which of them anything is stored of.

    Example: lapstream tracks find canberra
    """
    work.find(words or [], limit, gone=gone, as_json=as_json, as_csv=as_csv)


@app.command()
def refresh(*, as_json: JsonFlag = False) -> None:
    """Let a fetcher fetch the site's list of tracks now; it then does so each week.

    Example: lapstream tracks refresh
    """
    work.refresh(as_json=as_json)
