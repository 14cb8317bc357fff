"""The status as it is stored: the observer's look at the broker, and what the database has.

No server is asked but the database, so that a page may show it to many, and again and again.
"""

from collections.abc import Iterator

from ops.lag.report import LagReport, observed
from ops.status import lines
from ops.status.lines import Line, Status
from ops.status.looking import of_database, of_roles, of_tables, stored_in
from schemas.errors import LapstreamError
from store.pool import Connection


class NotObserved(LapstreamError):
    """The groups were not looked at within the last minute."""


async def observed_status(connection: Connection, site: str) -> tuple[Status, LagReport]:
    """The status, and the lag that it speaks of; raises a database's error."""
    lag = await observed(connection)
    database = await stored_in(connection, site)
    lags = lag.groups or NotObserved(lag.trouble or "no group was found")
    return lines.status(
        [
            *of_database(database),
            *_of_broker(lag),
            *of_roles(lags, database),
            lines.well("api", "answers: this page is from it"),
            *map(lines.of_group, lag.groups),
            *of_tables(database),
        ]
    ), lag


def _of_broker(lag: LagReport) -> Iterator[Line]:
    """The broker, as the observer found it."""
    if lag.looked_at is None:
        yield lines.unknown("broker", lag.trouble or "nobody has looked")
    elif lag.trouble:
        yield lines.unwell("broker", lag.trouble)
    else:
        yield lines.well("broker", "answers the observer")
