"""The documents' page of all metrics, made from their declarations."""

from collections.abc import Iterable

from lapstream.fleet import SHOWN
from telemetry.metrics import DESCRIBED, Described

HEAD = """# All metrics

Every metric with its unit and its meaning, made from the code by `lapstream schemas`. Where they are shown,
what their labels may be and how they are counted: [Metrics, logs and traces](observability.md#metrics).
"""

OF_PROCESS = """
## Of a process

Each process counts what it does itself, from zero at its start: sum over processes.
"""

OF_FLEET = """
## Of the whole fleet

Looked at by one process for all, and shown the same by each: take the maximum.
"""

TABLE = """
| Metric | Type | Labels | Unit | Meaning |
| --- | --- | --- | --- | --- |
"""

UNITS = {
    "_info": "1",
    "_live": "1 or 0",
    "_paused": "1 or 0",
    "_verdict": "1 or 0",
    "_ratio": "0 to 1",
    "_rate": "records a second",
    "_bytes": "bytes",
    "_seconds": "seconds",
    "_offset": "offset",
    "_position": "offset",
    "_lag": "records",
    "_waiting": "records",
    "_members": "members",
    "_rows": "rows",
}
"""The unit that a name's end says."""

THINGS = {
    "runs": "runs",
    "sessions": "sessions",
    "laps": "laps",
    "requests": "requests",
    "pages": "pages",
    "findings": "findings",
    "outbox": "rows",
    "records": "records",
    "rebuilds": "rebuilds",
    "rows": "rows",
    "days": "days",
}
"""What is counted where a name ends otherwise: the first of these words in it says so."""


def metrics_page() -> str:
    """The page of the documents that describes every metric."""
    fleet = (Described(one.name, one.type, one.labels, one.meaning) for one in SHOWN.families)
    return HEAD + OF_PROCESS + _table(DESCRIBED) + OF_FLEET + _table(fleet)


def _table(metrics: Iterable[Described]) -> str:
    return TABLE + "".join(f"{_row(one)}\n" for one in metrics)


def _row(one: Described) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{one.name}` | {one.type} | {labels} | {unit_of(one.name)} | {one.meaning} |"


def unit_of(name: str) -> str:
    """The unit of a metric."""
    by_end = (unit for end, unit in UNITS.items() if name.endswith(end))
    counted = (THINGS[word] for word in name.split("_") if word in THINGS)
    return next(by_end, None) or next(counted)
