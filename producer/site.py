"""The site's addresses: built from the configured template and a validated slug, and from nothing else.

No address is ever taken from a page.
"""

import datetime as dt
import re
from urllib.parse import urlsplit

from schemas.errors import LapstreamError

SOURCE = "liverc"
"""The name of the timing service in events and tables."""

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
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


class Site:
    """The addresses of one site; `template` is as `https://{track_slug}.liverc.com`."""

    def __init__(self, template: str) -> None:
        if "{track_slug}" not in template or urlsplit(template).scheme not in {"http", "https"}:
            raise BadAddress(f"site template {template!r}: an http(s) address with {{track_slug}} is needed")
        self._template = template.rstrip("/")
        self.name = template
        """What the site's budget is kept under: all its tracks share one."""

    def day(self, slug: str, date: dt.date) -> str:
        """The address of a day's list."""
        return f"{self._track(slug)}/practice/?p=session_list&d={date.isoformat()}"

    def month(self, slug: str, year_month: str) -> str:
        """The address of a month view; the month is as 2025-10."""
        return f"{self._track(slug)}/practice/?d={year_month}"

    def session(self, slug: str, session_id: str) -> str:
        """The address of a session's page; raises `BadAddress` for an id that is no number."""
        if not _SESSION.fullmatch(session_id):
            raise BadAddress(f"{session_id!r} is no session id of this site: a number is expected")
        return f"{self._track(slug)}/practice/?p=view_session&id={session_id}"

    def _track(self, slug: str) -> str:
        return self._template.replace("{track_slug}", checked_slug(slug))


def robots_address(url: str) -> str:
    """The address of the robots.txt that speaks for a page."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/robots.txt"
