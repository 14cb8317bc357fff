"""Subscribed tracks on the terminal: added, listed, changed, removed; and following that is stopped."""

import datetime as dt

from lapstream.cli.database import on_database
from lapstream.cli.forms import text
from lapstream.cli.output import clean, out, print_json, utc
from lapstream.cli.tables import Listing
from producer.site import SOURCE
from runs import following
from runs.following import SubscribedTrack
from runs.subscriptions import Subscription, needed_zone
from runtime.settings import read_settings
from store.pool import Connection


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def add(track: str, zone: str | None, *, follow: bool, as_json: bool) -> None:
    """Subscribe to a track."""
    zones = read_settings().track_zones

    async def added(connection: Connection) -> Subscription:
        time_zone = await needed_zone(connection, SOURCE, track, zone, zones)
        return await following.subscribe(connection, SOURCE, track, time_zone, follow=follow, now=_now())

    _tell(on_database(added), as_json=as_json)


def change(track: str, zone: str | None, *, follow: bool | None, as_json: bool) -> None:
    """Change a subscription."""

    async def changed(connection: Connection) -> Subscription:
        time_zone = zone and await needed_zone(connection, SOURCE, track, zone, {})
        return await following.change(connection, SOURCE, track, time_zone, follow=follow, now=_now())

    _tell(on_database(changed), as_json=as_json)


def remove(track: str, *, as_json: bool) -> None:
    """End a subscription."""
    removed = on_database(lambda connection: following.unsubscribe(connection, SOURCE, track))
    if as_json:
        print_json(removed)
    else:
        out.print(clean(f"{removed.track_slug} is not subscribed to any more; what is stored of it stays"))


def stop(track: str, *, as_json: bool) -> None:
    """Stop following a track."""
    on_database(lambda connection: following.stop(connection, SOURCE, track, _now()))
    if as_json:
        print_json({"track_slug": track, "followed": False})
    else:
        out.print(f"{track} is not followed any more")


def _tell(one: Subscription, *, as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    how = "each of its days is followed while it is on" if one.follow else "its days are not followed"
    out.print(
        clean(f"{one.track_slug} ({one.time_zone}) is subscribed to: {how}, and imported once more at night"),
        soft_wrap=True,
    )


def show_all(*, as_json: bool) -> None:
    """Print the subscribed tracks, each with its newest day."""
    tracks = on_database(following.subscribed)
    if as_json:
        print_json(tracks)
    elif not tracks:
        out.print("no track is subscribed to: `lapstream tracks add SLUG --zone ZONE --follow` does that")
    else:
        out.print(_table(tracks))


def _table(tracks: list[SubscribedTrack]) -> Listing:
    table = Listing(
        *("Slug", "Zone", "Followed", "Newest day", "Asked", "Next", "Error"),
        folded={"Error"},
        worded={"Asked", "Next"},
    )
    for one in tracks:
        followed = "yes" if one.follow else "at night"
        times = (utc(one.asked_at), utc(one.next_at))
        table.add(one.track_slug, one.time_zone, followed, text(one.date), *times, text(one.error))
    return table
