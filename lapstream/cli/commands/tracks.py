"""`lapstream tracks` and `lapstream follow`: tracks found by their names, subscribed to, followed live."""

from typing import TYPE_CHECKING, Annotated

import typer

from lapstream.cli.arguments import CsvFlag, JsonFlag, LimitOption, Track
from lapstream.cli.later import later

if TYPE_CHECKING:
    from lapstream.cli import follow as live
    from lapstream.cli import subscriptions
    from lapstream.cli import track_list as work
else:
    live = later("lapstream.cli.follow")
    subscriptions = later("lapstream.cli.subscriptions")
    work = later("lapstream.cli.track_list")

app = typer.Typer(help="Find the site's tracks, and subscribe to them.", no_args_is_help=True)

ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--zone",
        metavar="ZONE",
        help="The track's IANA zone, such as Australia/Sydney: it says when its day ends.",
        show_default=False,
    ),
]


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


@app.command()
def add(
    track: Track,
    *,
    zone: ZoneOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Follow each of its days while it is on, not only at night.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Subscribe to a track: each of its days is imported by itself when it is over.

    Without --zone, that of LAPSTREAM_TRACK_ZONES counts. Exits with 1 where it is subscribed to already.

    Example: lapstream tracks add canberraoffroad --zone Australia/Sydney --follow
    """
    subscriptions.add(track, zone, follow=follow, as_json=as_json)


@app.command("list")
def list_(*, as_json: JsonFlag = False) -> None:
    """List the subscribed tracks: when each was asked for last, and is next.

    Example: lapstream tracks list --json
    """
    subscriptions.show_all(as_json=as_json)


@app.command("set")
def set_(
    track: Track,
    *,
    zone: ZoneOption = None,
    follow: Annotated[
        bool | None,
        typer.Option("--follow/--no-follow", help="Whether its days are followed while they are on."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Change a subscription; what is not given stays. Exits with 1 where there is none.

    Example: lapstream tracks set canberraoffroad --no-follow
    """
    subscriptions.change(track, zone, follow=follow, as_json=as_json)


@app.command()
def remove(track: Track, *, as_json: JsonFlag = False) -> None:
    """End a subscription, and following with it; what is stored stays. Exits with 1 where there is none.

    Example: lapstream tracks remove canberraoffroad
    """
    subscriptions.remove(track, as_json=as_json)


def follow(
    track: Track,
    *,
    zone: ZoneOption = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop following it, today and where it is subscribed to.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Follow today's day of a track: its list is asked for again and again, and each new session printed.

    Ctrl-C ends looking, not following: fetchers follow the day until it is over at the track. Its zone is
    that of its subscription, or of LAPSTREAM_TRACK_ZONES, unless --zone says another one. With --json each
    line is an object. A fetcher, a projector and a relay must be at work (`lapstream run all`). Exits with 0
    when the day is over, with 3 when somebody stopped following it, with 2 where its zone is not known.

    Example: lapstream follow canberraoffroad --zone Australia/Sydney
    """
    if stop:
        subscriptions.stop(track, as_json=as_json)
    else:
        live.follow(track, zone, as_json=as_json)
