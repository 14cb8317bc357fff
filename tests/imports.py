"""A day imported as a command does it; the roles that do the work are at work already."""

import datetime as dt
from typing import Any

from ops.imports import follow
from ops.imports.follow import ImportSummary
from producer.site import SOURCE
from runtime.settings import Settings
from tests.conftest import DAY, TRACK


async def import_day(settings: Settings, day: dt.date = DAY, refresh: Any = "all") -> ImportSummary:
    """Open a run for a day, and return when it has ended."""
    return await follow.ingest(settings, follow.request(SOURCE, TRACK, day, refresh), follow.unseen)
