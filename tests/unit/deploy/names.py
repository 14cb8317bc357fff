"""The names of metrics: those that the code declares, and those that an expression asks for."""

import re

from prometheus_client import Metric

from lapstream.fleet import SHOWN
from telemetry.metrics import REGISTRY


def named(expression: str) -> set[str]:
    """The metrics that an expression of PromQL asks for."""
    return set(re.findall(r"\b(?:lapstream|kafka)_\w+", expression))


def declared() -> set[str]:
    """The names of series that a running Lapstream shows."""
    families = (*REGISTRY.collect(), *SHOWN.describe())
    return {name for one in families for name in _series(one)}


def _series(one: Metric) -> set[str]:
    if one.type == "histogram":
        return {f"{one.name}_{part}" for part in ("bucket", "sum", "count")}
    return {f"{one.name}_total" if one.type == "counter" else one.name}
