"""The projections that run: each read model, with what its live consumer settles beside its rows."""

from typing import Any

from consumers.live import PRACTICE_DAYS
from consumers.projection import Projection

PROJECTIONS: tuple[Projection[Any], ...] = (PRACTICE_DAYS,)
"""Every projection, in the order in which they are listed to people."""
