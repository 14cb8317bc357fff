"""The live projection of practice days: rows, and in the same transaction what became of runs and of days.

A replay uses `consumers.practice_days` alone: it ends no run and announces nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import zip_longest

import msgspec

from consumers.practice_days import apply, fill
from consumers.projection import AfterCommit, Projection
from outbox.adding import Entry
from runs import changes as run_changes
from runs.changes import SOURCE
from runs.marks import marks_of
from runs.refusals import refusal
from runs.reporting import report_ended
from schemas.envelope import Context, Received
from schemas.events import MAX_SESSIONS, Observation, PracticeDayChanged
from schemas.records import decode
from schemas.topics import Topics
from store.parking import ParkedRecord
from store.pool import Connection
from telemetry import tracing


def _news(received: Iterable[Received], changed: Iterable[PracticeDayChanged]) -> Iterator[Entry]:
    """What is announced of days that changed, each with the context of an event that it is of."""
    causes = {
        (one.event.source, one.event.track_slug, one.event.date): one.context
        for one in received
        if isinstance(one.event, Observation)
    }
    for one in changed:
        cause = causes[one.source, one.track_slug, one.date]
        traceparent = tracing.carried(cause.traceparent)
        context = Context(source=SOURCE, correlation_id=cause.correlation_id, traceparent=traceparent)
        for part in within_bounds(one):
            yield Entry(Topics().outcomes, part, context)


def within_bounds(changed: PracticeDayChanged) -> list[PracticeDayChanged]:
    """The change as events of which each names no more sessions than one may; the first counts the laps."""
    lists = (changed.sessions_added, changed.sessions_changed, changed.sessions_gone)
    first, *others = [
        msgspec.structs.replace(changed, sessions_added=added, sessions_changed=altered, sessions_gone=gone)
        for added, altered, gone in zip_longest(*map(_parts, lists), fillvalue=())
    ] or [changed]
    no_laps = {"laps_added": 0, "laps_changed": 0, "laps_gone": 0}
    return [first, *(msgspec.structs.replace(one, **no_laps) for one in others)]


def _parts(sessions: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for begin in range(0, len(sessions), MAX_SESSIONS):
        yield tuple(sessions[begin : begin + MAX_SESSIONS])


async def announce(
    connection: Connection,
    topics: Topics,
    received: Sequence[Received],
    parked: Sequence[ParkedRecord],
    changed: Sequence[PracticeDayChanged],
) -> AfterCommit | None:
    """Note what a batch means for runs; announce what ended, what changed, and what was parked of it.

    Runs are of our own fetchers: what another producer's topic says of one is not believed. Which runs ended
    is told afterwards.
    """
    marks = marks_of(
        (one for one in received if one.standing.topic == topics.days),
        (one for one in parked if one.topic == topics.days),
    )
    news = [*_news(received, changed), *map(refusal, parked)]
    ended = await run_changes.mark(connection, marks, news)
    return partial(report_ended, ended) if ended else None


PRACTICE_DAYS = Projection(
    name="practice-days",
    schema="practice_days",
    topics=lambda topics: topics.event_log,
    decode=decode,
    apply=apply,
    announce=announce,
    fill=fill,
    lookups=("observations_by_event",),
    members=2,
)
"""The read model of practice days: tracks, days, sessions, drivers, results, laps."""
