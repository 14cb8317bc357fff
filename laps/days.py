"""A practice day as racers look at it: its sessions with their runs, and a leaderboard of each class."""

import datetime as dt

from msgspec.structs import asdict

from laps.leaderboard import Leaderboard, leaderboards
from schemas.identity import practice_event_id
from store import days
from store.days import DayView
from store.pool import Connection


class DayReport(DayView, frozen=True, kw_only=True):
    """A practice day with a leaderboard of each class."""

    leaderboards: list[Leaderboard]


async def read_day(connection: Connection, source: str, track_slug: str, date: dt.date) -> DayReport | None:
    """A practice day of a source; None for one of which nothing was seen."""
    view = await days.read_day(connection, practice_event_id(source, track_slug, date))
    return view and DayReport(**asdict(view), leaderboards=leaderboards(view.sessions))
