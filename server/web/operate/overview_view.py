"""What the overview holds beside the lines of the status: where each line that is not well leads to."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ops.lag.figures import GroupLag, Verdict
from ops.status.lines import Line
from server.web import links

_OF_VERDICT: Mapping[Verdict, str] = {
    "stalled": "LapstreamGroupStalled",
    "stopped": "LapstreamGroupStalled",
    "rewound": "LapstreamGroupRewound",
    "no_members": "LapstreamGroupNoMembers",
    "unknown": "LapstreamLagUnknown",
}

_OF_LINE: Mapping[str, tuple[str, str | None]] = {
    "database": ("The broker or the database is lost", None),
    "broker": ("The broker or the database is lost", None),
    "fetcher": ("LapstreamGroupNoMembers", links.lag()),
    "projector": ("LapstreamGroupNoMembers", links.lag()),
    "relay": ("LapstreamOutboxOld", None),
    "outbox": ("LapstreamOutboxOld", None),
    "parked": ("LapstreamRecordsParked", links.parked_list()),
    "site": ("LapstreamSiteBackingOff", links.site()),
    "runs": ("LapstreamRunsFailing", links.runs(state="failed")),
    "rebuilds": ("LapstreamRebuildStuck", links.rebuilds()),
}

RUNBOOKS = frozenset({*_OF_VERDICT.values(), *(runbook for runbook, _ in _OF_LINE.values())})
"""The runbooks that are named: sections of docs/runbooks.md."""


class Attention(Struct, frozen=True, kw_only=True):
    """A line that needs attention: the page where one looks, and the runbook that says what to do."""

    line: Line
    page: str | None
    runbook: str | None


def attention(lines: Sequence[Line], groups: Sequence[GroupLag]) -> list[Attention]:
    """What is not well, with where to look; then what is not known."""
    verdicts = {f"lag of {one.group}": one for one in groups}
    asked = sorted((line for line in lines if line.well is not True), key=lambda line: line.well is None)
    return [_attention(line, verdicts.get(line.name)) for line in asked]


def _attention(line: Line, group: GroupLag | None) -> Attention:
    if group is not None:
        return Attention(line=line, page=links.lag(group.group), runbook=_OF_VERDICT.get(group.verdict))
    runbook, page = _OF_LINE.get(line.name, (None, None))
    return Attention(line=line, page=page, runbook=runbook)
