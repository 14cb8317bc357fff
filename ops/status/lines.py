"""The lines of a status: what was found goes in, whether it is well and in which words comes out."""

import datetime as dt
from collections.abc import Iterator, Sequence

from msgspec import Struct

from broker.topics import TopicState, differing
from ops.fleet.state import STUCK_SECONDS, WORKED_AT, ListOfTracks, OpenRebuild, State
from ops.lag.figures import GroupLag, Verdict
from outbox.rows import Backlog
from runtime.migrate import Standing

OLD_SECONDS = 60.0
"""A row of the outbox is published within a second or two; so old, something keeps it."""

UNWELL: frozenset[Verdict] = frozenset({"stalled", "stopped", "rewound", "no_members"})
"""Verdicts of a group that does not come further; one that lags does, and one that is not known may."""


class Line(Struct, frozen=True, kw_only=True):
    """One thing that was looked at: whether it is well, None where that is not known, and what was found."""

    name: str
    well: bool | None
    found: str


class Status(Struct, frozen=True, kw_only=True):
    """All that was looked at; it is well where no line says otherwise."""

    well: bool
    looked_at: dt.datetime
    lines: list[Line]

    @property
    def unwell(self) -> list[str]:
        """The names of the lines that are not well."""
        return [line.name for line in self.lines if line.well is False]


class Stored(Struct, frozen=True, kw_only=True):
    """What the database has."""

    backlog: Backlog
    state: State
    relayed: bool


def status(lines: Sequence[Line]) -> Status:
    """The status that these lines make."""
    return Status(
        well=all(line.well is not False for line in lines),
        looked_at=dt.datetime.now(dt.UTC),
        lines=list(lines),
    )


def well(name: str, found: str) -> Line:
    """A line of what is well."""
    return Line(name=name, well=True, found=found)


def unwell(name: str, found: str) -> Line:
    """A line of what needs attention."""
    return Line(name=name, well=False, found=found)


def unknown(name: str, found: str) -> Line:
    """A line of what can't be found out."""
    return Line(name=name, well=None, found=found)


def of_migrations(standing: Standing) -> Line:
    """The migrations; those of a newer release do no harm."""
    if standing.missing:
        return unwell("migrations", f"missing: {', '.join(standing.missing)}; run `lapstream migrate up`")
    newer = f", and {len(standing.unknown)} of another release" if standing.unknown else ""
    return well("migrations", f"all are applied{newer}")


def of_topics(states: Sequence[TopicState]) -> Line:
    """The topics."""
    wrong = differing(states)
    return unwell("topics", wrong) if wrong else well("topics", "all are as declared")


def of_members(role: str, groups: Sequence[GroupLag]) -> Line:
    """A role that works in consumer groups."""
    if any(one.members is None for one in groups):
        return unknown(role, "the broker does not say who is at work")
    counted = ", ".join(f"{one.members} in {one.group}" for one in groups)
    if any(one.members == 0 for one in groups):
        return unwell(role, f"members: {counted}; start `lapstream run {role}`")
    return well(role, f"members: {counted}")


def of_group(one: GroupLag) -> Line:
    """A group's lag, by its verdict."""
    name = f"lag of {one.group}"
    behind = "" if one.behind is None else f", {one.behind} behind"
    found = f"{one.verdict.replace('_', ' ')}{behind}: {one.reason}"
    if one.verdict == "unknown":
        return unknown(name, found)
    return unwell(name, found) if one.verdict in UNWELL else well(name, found)


def of_stored(stored: Stored) -> Iterator[Line]:
    """What the database says of the outbox, of parked records, the site and its tracks, runs and rebuilds."""
    yield _of_outbox(stored.backlog)
    yield _of_parked(stored.state)
    yield _of_site(stored.state)
    yield _of_catalogue(stored.state.catalogue)
    yield _of_runs(stored.state)
    yield _of_rebuilds(stored.state.rebuilds)


def of_relay(*, relayed: bool) -> Line:
    """The relay, by its lease."""
    return well("relay", "one publishes") if relayed else unwell("relay", "none: start `lapstream run relay`")


def _of_outbox(backlog: Backlog) -> Line:
    if not backlog.rows:
        return well("outbox", "empty")
    found = f"{backlog.rows} rows wait, the oldest for {backlog.oldest_seconds:.0f} s"
    return unwell("outbox", found) if backlog.oldest_seconds > OLD_SECONDS else well("outbox", found)


def _of_parked(state: State) -> Line:
    waiting = [f"{count} of {group}" for group, count in state.parked.items() if count]
    if waiting:
        return unwell("parked", f"waiting: {', '.join(waiting)}; `lapstream parked list` shows them")
    return well("parked", "none waits")


def _of_site(state: State) -> Line:
    if state.site_paused:
        return unwell("site", "paused: nothing is fetched until `lapstream site resume`")
    if state.site_backing_off_seconds:
        seconds = f"{state.site_backing_off_seconds:.0f} s more"
        return unwell("site", f"backing off for {seconds}: {state.site_reason or 'no reason is known'}")
    return well("site", "open")


def _of_catalogue(found: ListOfTracks | None) -> Line:
    if found is None:
        return well("catalogue", "not fetched: `lapstream tracks refresh` asks for it")
    if found.error:
        return unwell("catalogue", f"it failed to be fetched, and is asked for again: {found.error}")
    if found.age_seconds is None:
        return well("catalogue", "asked for; a fetcher fetches it")
    return well("catalogue", f"{found.tracks} tracks, {found.age_seconds / 86_400:.1f} days old")


def _of_runs(state: State) -> Line:
    found = f"{state.runs_open} at work, {state.runs_failed} failed in the last hour"
    if state.runs_failed:
        return unwell("runs", f"{found}; `lapstream runs list --state failed` shows them")
    return well("runs", found)


def _of_rebuilds(rebuilds: Sequence[OpenRebuild]) -> Line:
    if not rebuilds:
        return well("rebuilds", "none")
    found = "; ".join(f"{one.projection} {one.state}, {one.progress:.0%}" for one in rebuilds)
    stuck = [one for one in rebuilds if one.state in WORKED_AT and one.idle_seconds > STUCK_SECONDS]
    if stuck:
        return unwell("rebuilds", f"{found}; none of {stuck[0].projection} for {stuck[0].idle_seconds:.0f} s")
    return well("rebuilds", found)
