"""The projections that run: each read model, with what its live consumer settles beside its rows."""

from typing import Any

from consumers.live import PRACTICE_DAYS
from consumers.pages import PAGE_INDEX
from consumers.projection import Projection
from consumers.track_records import TRACK_RECORDS

PROJECTIONS: tuple[Projection[Any], ...] = (
    PRACTICE_DAYS,
    TRACK_RECORDS,
    PAGE_INDEX,
)
"""Every projection, in the order in which they are listed to people."""
