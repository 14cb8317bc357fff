"""The names of metrics: those that the code declares, and those that an expression asks for."""

import re

from prometheus_client import Metric

from lapstream.fleet import SHOWN
from telemetry.metrics import REGISTRY

COMING = {
    "lapstream_parked_waiting",
    "lapstream_rebuilds",
    "lapstream_rebuild_progress_ratio",
    "lapstream_rebuild_idle_seconds",
    "lapstream_pages_total",
    "lapstream_findings_total",
    "lapstream_site_backing_off_seconds",
    "lapstream_site_paused",
    "lapstream_runs_open",
    "lapstream_database_bytes",
    "lapstream_table_bytes",
}
"""Those that are agreed, and not served yet."""


def named(expression: str) -> set[str]:
    """The metrics that an expression of PromQL asks for."""
    return set(re.findall(r"\b(?:lapstream|kafka)_\w+", expression))


def declared() -> set[str]:
    """The names of series that a running Lapstream shows."""
    families = (*REGISTRY.collect(), *SHOWN.describe())
    return {name for one in families for name in _series(one)} | COMING


def _series(one: Metric) -> set[str]:
    if one.type == "histogram":
        return {f"{one.name}_{part}" for part in ("bucket", "sum", "count")}
    return {f"{one.name}_total" if one.type == "counter" else one.name}
