"""The site's contents: which day of which track holds what, and the pages that show it.

In: days that are put, corrections, and a seed for every day that nobody put. Out: pages, rendered once.
"""

import calendar
import datetime as dt
import gzip
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated

import msgspec
from msgspec import Meta

from sandbox.sample_site import naming
from sandbox.sample_site.edits import Edit, edited
from sandbox.sample_site.faults import Faults
from sandbox.sample_site.generate import default_session_count, generate_day
from sandbox.sample_site.ledger import Ledger
from sandbox.sample_site.model import SampleDay
from sandbox.sample_site.render import (
    Spelling,
    render_catalogue,
    render_day_list,
    render_month,
    render_session,
    render_unknown_session,
)

TODAY = dt.date(2025, 10, 25)
"""The site's own today: its month view opens on this month, so that a test sees the same in any year."""

_MONTHS_SHOWN = 13


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the site answers: `latency_seconds` before each page; `gzip` and `etag` when a client asks.

    `tracks` are the slugs that its catalogue lists.
    """

    latency_seconds: Annotated[float, Meta(ge=0, le=600)] = 0.0
    gzip: bool = True
    etag: bool = True
    spelling: Spelling = "served"
    robots_txt: str = "User-agent: *\nAllow: /\n"
    tracks: tuple[str, ...] = tuple(naming.TRACKS)


@dataclass(frozen=True)
class Page:
    """A page's bytes, and what is computed of them once."""

    body: bytes

    @cached_property
    def etag(self) -> str:
        """The page's name for conditional requests, with its quotes."""
        return f'"{hashlib.blake2b(self.body, digest_size=12).hexdigest()}"'

    @cached_property
    def gzipped(self) -> bytes:
        """The page, packed."""
        return gzip.compress(self.body, compresslevel=6, mtime=0)


@dataclass(frozen=True, slots=True)
class _Growth:
    """A day of which at first only so many sessions are shown; then one more each so many seconds."""

    shown: int
    every_seconds: float | None
    since: float = field(default_factory=time.monotonic)

    def shown_now(self) -> int:
        """How many sessions are shown now."""
        if self.every_seconds is None:
            return self.shown
        return self.shown + int((time.monotonic() - self.since) / self.every_seconds)


@dataclass(slots=True)
class _Held:
    put: SampleDay
    day: SampleDay
    growth: _Growth | None = None
    pages: dict[tuple[str, Spelling], Page] = field(default_factory=dict[tuple[str, Spelling], Page])


class SampleSite:
    """All tracks and days; what was not put is made from the seed when it is first asked for."""

    def __init__(self, *, seed: int = 1, settings: Settings | None = None) -> None:
        self.seed = seed
        self.settings = settings or Settings()
        self.faults = Faults()
        self.ledger = Ledger()
        self._initial_settings = self.settings
        self._held: dict[tuple[str, dt.date], _Held] = {}
        self._dates: dict[tuple[str, str], dt.date] = {}

    def put(self, day: SampleDay) -> None:
        """Hold this day, in place of what there was."""
        self._held[day.track_slug, day.date] = _Held(day, day)
        self._dates |= {(day.track_slug, session.session_id): day.date for session in day.sessions}

    def set_empty(self, track_slug: str, date: dt.date) -> None:
        """Let the track have no practice on that date."""
        self.put(SampleDay(track_slug, naming.track_name(track_slug), date))

    def day(self, track_slug: str, date: dt.date) -> SampleDay:
        """The day as it stands now."""
        return self._hold(track_slug, date).day

    def change(self, track_slug: str, date: dt.date, edit: Edit) -> SampleDay:
        """Correct a day; see `edits` for what can be corrected, and the ValueError when it can't."""
        held = self._hold(track_slug, date)
        held.day = edited(held.day, edit)
        held.pages.clear()
        return held.day

    def put_back(self, track_slug: str, date: dt.date) -> SampleDay:
        """Undo all corrections of a day."""
        held = self._hold(track_slug, date)
        held.day, held.growth = held.put, None
        held.pages.clear()
        return held.day

    def grow(
        self, track_slug: str, date: dt.date, shown: int, *, every_seconds: float | None = None
    ) -> SampleDay:
        """Show only the first sessions of a day, without corrections; then one more each so many seconds."""
        self._hold(track_slug, date).growth = _Growth(shown, every_seconds)
        return self._hold(track_slug, date).day

    def reset(self) -> None:
        """Forget every day, fault, setting and count, as after a fresh start."""
        self.settings = self._initial_settings
        self.faults = Faults()
        self.ledger = Ledger()
        self._held.clear()
        self._dates.clear()

    def date_of(self, track_slug: str, session_id: str) -> dt.date | None:
        """The date of a session, whether the session exists or not, or None when the id tells none."""
        return self._dates.get((track_slug, session_id)) or naming.date_of(session_id)

    def list_page(self, track_slug: str, date: dt.date) -> Page:
        """A day's list."""
        held = self._hold(track_slug, date)
        return self._page(held, "", lambda: render_day_list(held.day, spelling=self.settings.spelling))

    def session_page(self, track_slug: str, session_id: str) -> Page:
        """A session's page; of an unknown session, the page that says so."""
        date = self.date_of(track_slug, session_id)
        held = self._hold(track_slug, date) if date else None
        session = held.day.session(session_id) if held else None
        spelling = self.settings.spelling
        if held is None or session is None:
            return Page(render_unknown_session(naming.track_name(track_slug), spelling=spelling))
        return self._page(held, session_id, lambda: render_session(held.day, session, spelling=spelling))

    def month_page(self, track_slug: str, year: int, month: int) -> Page:
        """The view of a month, with the one after it and eleven before it to choose from."""
        dates = (dt.date(year, month, day + 1) for day in range(calendar.monthrange(year, month)[1]))
        counts = {date: self._session_count(track_slug, date) for date in dates}
        last = min(year * 12 + month, dt.MAXYEAR * 12 + 11)
        months = [f"{n // 12:04}-{n % 12 + 1:02}" for n in range(last, max(last - _MONTHS_SHOWN, 11), -1)]
        body = render_month(
            track_slug,
            f"{year:04}-{month:02}",
            {date: count for date, count in counts.items() if count},
            months,
            spelling=self.settings.spelling,
        )
        return Page(body)

    def catalogue_page(self, host: str) -> Page:
        """All tracks, at addresses of this host."""
        settings = self.settings
        return Page(
            render_catalogue(settings.tracks, lambda slug: f"//{host}/{slug}", spelling=settings.spelling)
        )

    def _hold(self, track_slug: str, date: dt.date) -> _Held:
        if (track_slug, date) not in self._held:
            count = default_session_count(track_slug, date, seed=self.seed)
            self.put(generate_day(track_slug, date, seed=self.seed, sessions=count))
        held = self._held[track_slug, date]
        if held.growth and held.growth.shown_now() != len(held.day.sessions):
            held.day = replace(held.put, sessions=held.put.sessions[: held.growth.shown_now()])
            held.pages.clear()
        return held

    def _session_count(self, track_slug: str, date: dt.date) -> int:
        held = self._held.get((track_slug, date))
        if held is not None:
            return len(self._hold(track_slug, date).day.sessions)
        return default_session_count(track_slug, date, seed=self.seed)

    def _page(self, held: _Held, name: str, render: Callable[[], bytes]) -> Page:
        key = (name, self.settings.spelling)
        if key not in held.pages:
            held.pages[key] = Page(render())
        return held.pages[key]
