"""The metrics, all of them in one place: what happened goes in, Prometheus' text comes out.

No label is ever a session, a driver, a day, a track, or anything else that the site or a producer writes:
each label has a bounded number of values. `docs/observability.md` describes every metric.
"""

import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from telemetry import health

OUTCOMES = ("completed", "partial", "failed", "cancelled")
"""How a run can end."""

PARSED, NOT_MODIFIED = "parsed", "not_modified"
"""What comes of a page that is had; of others an error's code does."""

UNREACHABLE = "unreachable"
"""The status of a request to the site that nobody answered."""

REGISTRY = CollectorRegistry()
"""The metrics of this process."""

disable_created_metrics()  # a second series for each counter, which no text format needs
ProcessCollector(registry=REGISTRY)

_KNOWN_STATUSES = frozenset(map(int, HTTPStatus))
_RUN_SECONDS = (1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 14_400)
_WAIT_SECONDS = (0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600)


class Described(NamedTuple):
    """A metric as the documents describe it."""

    name: str
    type: str
    labels: Sequence[str]
    meaning: str


DESCRIBED: list[Described] = []
"""Every metric of a process that is not of the whole fleet."""


def _counter(name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
    DESCRIBED.append(Described(name, "counter", labels, meaning))
    return Counter(name, meaning, labels, registry=REGISTRY)


def _gauge(name: str, meaning: str, labels: Sequence[str] = ()) -> Gauge:
    DESCRIBED.append(Described(name, "gauge", labels, meaning))
    return Gauge(name, meaning, labels, registry=REGISTRY)


def _histogram(name: str, meaning: str, buckets: Sequence[float]) -> Histogram:
    DESCRIBED.append(Described(name, "histogram", (), meaning))
    return Histogram(name, meaning, buckets=buckets, registry=REGISTRY)


_live = _gauge("lapstream_live", "Whether the work of the process goes on, as /livez says: 1 or 0.")
_build = _gauge("lapstream_build_info", "The version that the process runs, as a label of a 1.", ["version"])


_runs = _counter("lapstream_ingest_runs_total", "Runs that ended, by outcome.", ["outcome"])
_run_seconds = _histogram(
    "lapstream_ingest_run_duration_seconds",
    "Time from a run's request to the end of its first attempt.",
    _RUN_SECONDS,
)
_sessions = _counter("lapstream_ingest_sessions_total", "Sessions stored of the days of runs that ended.")
_with_laps = _counter("lapstream_ingest_sessions_with_laps_total", "Those of them that have laps.")
_detail_failed = _counter(
    "lapstream_ingest_sessions_detail_failed_total", "Sessions whose page failed to be fetched."
)
_laps = _counter("lapstream_ingest_laps_total", "Laps stored of sessions whose page a run fetched.")
_site_requests = _counter(
    "lapstream_site_requests_total",
    "Requests to the site, by status; unreachable without an answer.",
    ["status"],
)
_pace_wait = _histogram(
    "lapstream_site_pace_wait_seconds", "How long a request to the site waited for its turn.", _WAIT_SECONDS
)
_pages = _counter(
    "lapstream_pages_total",
    "Pages that were asked for, by what came of it in the end: parsed, not_modified, or an error's code.",
    ["outcome"],
)
_findings = _counter(
    "lapstream_findings_total",
    "What parsers noticed in pages and did not mend, by its code: a rise says that the site changed.",
    ["code"],
)
_outbox_rows = _gauge("lapstream_outbox_backlog_rows", "Rows that wait to be published; NaN where unknown.")
_outbox_age = _gauge(
    "lapstream_outbox_oldest_age_seconds",
    "Age of the oldest row that waits to be published; NaN where unknown.",
)
_published = _counter("lapstream_outbox_published_total", "Rows of the outbox that the broker acknowledged.")
_pruned = _counter("lapstream_pruned_rows_total", "Rows that were pruned, by what they were.", ["what"])
_applied = _counter("lapstream_records_applied_total", "Records written into tables, by group.", ["group"])
_parked = _counter("lapstream_records_parked_total", "Records that were parked, by group.", ["group"])
_ignored = _counter(
    "lapstream_records_ignored_total", "Other vendors' records that were ignored, by group.", ["group"]
)
_ignored_by_old_name = _counter(
    "lapstream_records_passed_over_total", "The old name of `lapstream_records_ignored_total`.", ["group"]
)


def run_ended(outcome: str, *, sessions: int, with_laps: int, detail_failed: int, laps: int) -> None:
    """Count a run that ended, and what it came to."""
    _runs.labels(outcome).inc()
    _sessions.inc(sessions)
    _with_laps.inc(with_laps)
    _detail_failed.inc(detail_failed)
    _laps.inc(laps)


def run_took(seconds: float) -> None:
    """Note how long a run's first attempt took."""
    _run_seconds.observe(seconds)


def site_answered(status: int | None) -> None:
    """Count a request to the site by the status of its answer; None where none came."""
    _site_requests.labels(UNREACHABLE if status is None else _status(status)).inc()


def _status(status: int) -> str:
    """A status that HTTP knows as it is, any other as its class: the site does not choose labels."""
    return str(status) if status in _KNOWN_STATUSES else f"{status // 100}xx"


def page_obtained(*, not_modified: bool) -> None:
    """Count a page whose content is known."""
    _pages.labels(NOT_MODIFIED if not_modified else PARSED).inc()


def page_failed(code: str) -> None:
    """Count a page that was not had in the end, by the error's code."""
    _pages.labels(code).inc()


def found(code: str) -> None:
    """Count a finding."""
    _findings.labels(code).inc()


def running(version: str) -> None:
    """Say which version this process runs."""
    _build.labels(version).set(1)


def pace_waited(seconds: float) -> None:
    """Note how long a request to the site waited for its turn."""
    _pace_wait.observe(seconds)


def outbox_holds(rows: float, oldest_seconds: float) -> None:
    """Say what waits to be published."""
    _outbox_rows.set(rows)
    _outbox_age.set(oldest_seconds)


def outbox_unknown() -> None:
    """Say that nobody knows what waits to be published: a figure of before would look like one of now."""
    outbox_holds(math.nan, math.nan)


def rows_published(rows: int) -> None:
    """Count rows of the outbox that the broker acknowledged."""
    _published.inc(rows)


def rows_pruned(what: str, rows: int) -> None:
    """Count rows that were pruned."""
    _pruned.labels(what).inc(rows)


def batch_applied(group: str, *, records: int, ignored: int) -> None:
    """Count the records of a batch that is committed."""
    _applied.labels(group).inc(records)
    _ignored.labels(group).inc(ignored)
    _ignored_by_old_name.labels(group).inc(ignored)


def record_parked(group: str) -> None:
    """Count a record that was parked."""
    _parked.labels(group).inc()


def exposition() -> tuple[bytes, str]:
    """What the process counted so far, in Prometheus' text format, and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST


for _outcome in OUTCOMES:
    _runs.labels(_outcome)
for _outcome in (PARSED, NOT_MODIFIED):
    _pages.labels(_outcome)
outbox_unknown()
_live.set_function(lambda: health.live().status == "ok")
