"""The switch that stops all fetching from the site, and what holds the site's requests back."""

import asyncio

from lapstream.cli.output import clean, out, print_json
from producer import budget as sites
from producer.budget import SiteState
from runtime.database import connected
from runtime.settings import read_settings


def turn(*, paused: bool, as_json: bool) -> None:
    """Pause the site, or let it go on; shows how it is then."""
    _show(asyncio.run(_state(paused=paused)), as_json=as_json)


def show(*, as_json: bool) -> None:
    """Show whether the site is paused, or backed off from."""
    _show(asyncio.run(_state(paused=None)), as_json=as_json)


async def _state(*, paused: bool | None) -> SiteState:
    settings = read_settings()
    async with connected(settings) as connection:
        if paused is not None:
            await sites.pause(connection, settings.site, paused=paused)
        return await sites.state(connection, settings.site)


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
