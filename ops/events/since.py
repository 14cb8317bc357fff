"""Where following topics begins, as moments: these two, or any between them."""

import datetime as dt

START = dt.datetime.min.replace(tzinfo=dt.UTC)
"""Before the first record."""

END = dt.datetime.max.replace(tzinfo=dt.UTC)
"""Behind the last record."""
