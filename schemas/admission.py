"""Whether a record of the event log may say what it says: by its topic, and by its own time stamp.

Both belong to the record itself, so that every reader comes to the same verdict, at any time.
"""

import datetime as dt
from typing import NamedTuple

from schemas.events import Event
from schemas.headers import BadRecord
from schemas.topics import Topics

TOLERANCE = dt.timedelta(minutes=5)
"""So much later than its record's time stamp an observation may be: a producer's clocks differ."""


class Standing(NamedTuple):
    """Where an event's record lies, and how much its word counts there: see `Topics.authority`."""

    topic: str
    authority: int


def admitted(event: Event, topic: str, timestamp: int, topics: Topics) -> Standing:
    """The standing of an event in this topic; raises `BadRecord` where it may not say what it says.

    `timestamp` is the record's, in milliseconds since 1970; a negative one counts as none,
    and any moment passes.
    """
    source = event.source
    authority = 0 if source is None else topics.authority(topic, source)
    if authority is None:
        raise BadRecord("source_not_allowed", _not_allowed(topic, str(source), topics))
    _check_moment(getattr(event, "observed_at", None), timestamp)
    return Standing(topic, authority)


def _not_allowed(topic: str, source: str, topics: Topics) -> str:
    own = next((one for one in topics.log if f"{topics.prefix}{one.name}" == topic), None)
    allowed = f"which speaks for {', '.join(own.sources)}" if own else "which is no topic of the event log"
    return f"the event is of the source {source!r}, and lies in {topic}, {allowed} (LAPSTREAM_LOG_TOPICS)"


def _check_moment(observed_at: dt.datetime | None, timestamp: int) -> None:
    if observed_at is None or timestamp < 0:
        return
    ahead = observed_at.timestamp() - timestamp / 1000
    if ahead > TOLERANCE.total_seconds():
        raise BadRecord(
            "observed_in_future",
            f"observed_at {observed_at.isoformat()} is {ahead:.0f} s later than the record's own time stamp; "
            f"{TOLERANCE.total_seconds():.0f} s are allowed",
        )
