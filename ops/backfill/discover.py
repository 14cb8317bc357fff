"""On which days of a month a track has practice, for commands: asked of the site, at the fleet's pace.

A track and a month go in; its days with their numbers of sessions come out. Nothing is stored.
"""

import asyncio
import datetime as dt
from collections.abc import Callable

from msgspec import Struct

from producer import budget as sites
from producer.obtain import Unobtainable
from producer.pages import MonthDay, MonthPage
from producer.site import Site
from runtime.database import connected
from runtime.obtaining import Discover, discovering
from runtime.settings import Settings
from schemas.errors import LapstreamError
from schemas.events import Finding
from store.pool import Connection

LOOK_SECONDS = 1.0
"""How often it is looked at whether the site may be asked again."""

Say = Callable[[str], None]
"""Shows one line to a person."""


class MonthFailed(LapstreamError):
    """A month's page failed to be fetched."""


class Discovered(Struct, frozen=True, kw_only=True):
    """The days of a month that have practice, as the site has them at present."""

    track_slug: str
    year: int
    month: int
    days: tuple[MonthDay, ...]
    findings: tuple[Finding, ...]


async def discover_month(settings: Settings, track_slug: str, month: dt.date, wait: Say) -> Discovered:
    """Ask for the days of a month; raises `MonthFailed`. While the site is held back, `wait` is told why."""
    async with connected(settings) as connection:
        await until_free(connection, Site(settings.site), wait)
    async with discovering(settings) as discover:
        page = await month_page(discover, track_slug, month)
    return Discovered(
        track_slug=track_slug, year=month.year, month=month.month, days=page.days, findings=page.findings
    )


async def month_page(discover: Discover, track_slug: str, month: dt.date) -> MonthPage:
    """What the site's month view says; raises `MonthFailed`."""
    try:
        return await discover(track_slug, month.year, month.month)
    except Unobtainable as failure:
        raise MonthFailed(f"{track_slug} {month:%Y-%m}: {failure}") from failure


async def until_free(connection: Connection, site: Site, wait: Say) -> None:
    """Return when the site is neither paused nor left alone; `wait` is told each second why it is."""
    while reason := await held_by(connection, site):
        wait(reason)
        await asyncio.sleep(LOOK_SECONDS)


async def held_by(connection: Connection, site: Site) -> str | None:
    """Why the site is not asked for anything at present; None where nothing holds it back."""
    held = await sites.state(connection, site.name)
    if held.paused:
        return "the site is paused: `lapstream site resume` lets it go on"
    if held.rest_seconds:
        end = f"until {held.rest_until:%Y-%m-%d %H:%M:%S} UTC" if held.rest_until else "for a while"
        return f"backing off {end}: {held.rest_reason}"
    return None
