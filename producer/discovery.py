"""On which days of a month a track has practice: what the site's month view says."""

from producer.obtain import Obtainer
from producer.pages import MonthPage, parse_month
from producer.site import Site
from schemas.envelope import Context


async def discover(
    obtainer: Obtainer, site: Site, track_slug: str, year: int, month: int, context: Context
) -> MonthPage:
    """The days with practice; raises `Unobtainable` and `BadAddress`."""
    year_month = f"{year:04}-{month:02}"
    obtained = await obtainer.obtain(
        site.month(track_slug, year_month),
        lambda page: parse_month(page.body, url=page.url, year_month=year_month),
        context,
    )
    return obtained.facts
