"""The switch that stops all fetching from the site, and what holds the site's requests back."""

from functools import partial

from lapstream.cli.database import on_database
from lapstream.cli.output import clean, out, print_json
from producer import budget as sites
from producer.budget import SiteState
from runtime.settings import read_settings
from store.pool import Connection


def turn(*, paused: bool, as_json: bool) -> None:
    """Pause the site, or let it go on; shows how it is then."""
    _show(on_database(partial(_turned, site=read_settings().site, paused=paused)), as_json=as_json)


def show(*, as_json: bool) -> None:
    """Show whether the site is paused, or backed off from."""
    _show(on_database(partial(sites.state, site=read_settings().site)), as_json=as_json)


async def _turned(connection: Connection, site: str, *, paused: bool) -> SiteState:
    await sites.pause(connection, site, paused=paused)
    return await sites.state(connection, site)


def _show(state: SiteState, *, as_json: bool) -> None:
    if as_json:
        print_json(state._asdict())
    elif state.paused:
        out.print("paused: nothing is fetched until `lapstream site resume`")
    elif state.rest_seconds:
        end = f"until {state.rest_until:%Y-%m-%d %H:%M:%S} UTC, " if state.rest_until else ""
        out.print(f"backing off {end}for {state.rest_seconds:.0f} s more: {clean(state.rest_reason or '')}")
    else:
        out.print("open")
    out.print(f"{state.open_requests} requests open, {state.errors_in_row} errors in a row")
