"""The site's addresses: built from the configured template and a validated slug, and from nothing else.

No address is ever taken from a page. What was built here can be read back, as those of archived pages are.
"""

import datetime as dt
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from schemas.errors import LapstreamError
from schemas.fields import SLUG

SOURCE = "liverc"
"""The name of the timing service in events and tables."""

CATALOGUE = "live"
"""The slug at which the site has no track, but the list of all its tracks."""

_SLUG = re.compile(SLUG)
_SESSION = re.compile(r"[0-9]{1,18}")


class BadAddress(LapstreamError):
    """A slug, session id or site template from which no address may be built."""


def checked_slug(slug: str) -> str:
    """The slug, if it is one DNS label in lower case; raises `BadAddress` otherwise."""
    if not _SLUG.fullmatch(slug):
        raise BadAddress(
            f"{slug!r} is no track slug: it is the first part of the track's address, as in "
            "`canberraoffroad` of canberraoffroad.liverc.com (a-z, 0-9 and -, at most 63 characters)"
        )
    return slug


class DayAddress(NamedTuple):
    """The address of a day's list, by what it was built of."""

    track_slug: str
    date: dt.date


class MonthAddress(NamedTuple):
    """The address of a month view; the month is as 2025-10."""

    track_slug: str
    year_month: str


class SessionAddress(NamedTuple):
    """The address of a session's page."""

    track_slug: str
    session_id: str


class CatalogueAddress(NamedTuple):
    """The address of the list of all tracks."""

    track_slug: str = CATALOGUE


Address = DayAddress | MonthAddress | SessionAddress | CatalogueAddress


class Site:
    """The addresses of one site; `template` is as `https://{track_slug}.liverc.com`."""

    def __init__(self, template: str) -> None:
        if "{track_slug}" not in template or not template.startswith(("http://", "https://")):
            raise BadAddress(f"site template {template!r}: an http(s) address with {{track_slug}} is needed")
        if set(template) & set("@?#"):
            raise BadAddress(
                "the site template holds a login, a query or a fragment; each page's address begins with it, "
                "and stands in events and tables for ever: give it without"
            )
        self._template = template.rstrip("/")
        self._pattern = re.compile(_pattern(self._template))
        links = _of_track(self._template.partition("//")[2]) + "(?:/.*)?"
        self._links = re.compile(links, re.ASCII | re.IGNORECASE | re.DOTALL)
        self.name = template
        """What the site's budget is kept under: all its tracks share one."""

    def pages_of(self, slug: str) -> str:
        """What the addresses of a track's pages begin with, and no others."""
        return f"{self._track(slug)}/practice/?"

    def day(self, slug: str, date: dt.date) -> str:
        """The address of a day's list."""
        return f"{self.pages_of(slug)}p=session_list&d={date.isoformat()}"

    def month(self, slug: str, year_month: str) -> str:
        """The address of a month view; the month is as 2025-10."""
        return f"{self.pages_of(slug)}p=calendar&d={year_month}"

    def session(self, slug: str, session_id: str) -> str:
        """The address of a session's page; raises `BadAddress` for an id that is no number."""
        if not _SESSION.fullmatch(session_id):
            raise BadAddress(f"{session_id!r} is no session id of this site: a number is expected")
        return f"{self.pages_of(slug)}p=view_session&id={session_id}"

    def catalogue(self) -> str:
        """The address of the list of all tracks."""
        return f"{self._track(CATALOGUE)}/"

    def track_of(self, href: str) -> str | None:
        """The track whose pages a link leads to; None for any other link.

        Hosts are the same in any case. Such a link is read, and never asked for.
        """
        scheme, _, rest = href.partition("//")
        match = self._links.fullmatch(rest) if scheme.lower() in {"", "http:", "https:"} else None
        slug = match["slug"].lower() if match else None
        return None if slug == CATALOGUE else slug

    def read(self, url: str) -> Address | None:
        """What an address was built of; None for one that none of the methods above gives, or gave."""
        match = self._pattern.fullmatch(url)
        if match is None:
            return CatalogueAddress() if url == self.catalogue() else None
        slug, day, month, session_id = match.group("slug", "day", "month", "session")
        if session_id:
            return SessionAddress(slug, session_id)
        if month:
            return MonthAddress(slug, month)
        try:
            return DayAddress(slug, dt.date.fromisoformat(day))
        except ValueError:
            return None

    def _track(self, slug: str) -> str:
        return self._template.replace("{track_slug}", checked_slug(slug))


def _of_track(template: str) -> str:
    """A pattern of a track's address; each further place of the slug must hold what the first one does."""
    before, *rest = map(re.escape, template.split("{track_slug}"))
    return f"{before}(?P<slug>{_SLUG.pattern})" + "(?P=slug)".join(rest)


def _pattern(template: str) -> str:
    """A pattern of all addresses of days, months and sessions."""
    site = _of_track(template)
    day, month = r"(?P<day>\d{4}-\d\d-\d\d)", r"(?P<month>\d{4}-\d\d)"
    session = f"(?P<session>{_SESSION.pattern})"
    pages = f"p=session_list&d={day}|(?:p=calendar&)?d={month}|p=view_session&id={session}"
    return rf"(?a:{site}/practice/\?(?:{pages}))"


def robots_address(url: str) -> str:
    """The address of the robots.txt that speaks for a page."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/robots.txt"
