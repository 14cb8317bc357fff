"""What the tests of fetching have in common."""

import datetime as dt

NOON = dt.datetime(2025, 10, 25, 12, tzinfo=dt.UTC)
"""When the tests' pages were answered."""
