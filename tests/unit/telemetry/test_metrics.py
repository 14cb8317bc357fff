"""Metrics: named as Prometheus wants them, and labelled by nothing that anybody else chooses."""

import math

import pytest
from prometheus_client import Metric

from lapstream.fleet import SHOWN
from telemetry import metrics

LABELS = {
    "code",
    "consumergroup",
    "group",
    "kind",
    "le",
    "outcome",
    "partition",
    "projection",
    "state",
    "status",
    "table",
    "topic",
    "verdict",
    "version",
    "what",
}


def families() -> list[Metric]:
    found = (*metrics.REGISTRY.collect(), *SHOWN.describe())
    return [one for one in found if one.name.startswith("lapstream_")]


def value(name: str, **labels: str) -> float:
    found = metrics.REGISTRY.get_sample_value(name, labels)
    return 0 if found is None else found


def test_no_metric_is_labelled_by_what_a_site_or_a_producer_writes() -> None:
    labels = {label for one in families() for sample in one.samples for label in sample.labels}
    labels |= {label for one in SHOWN.families for label in one.labels}
    assert labels <= LABELS


def test_every_outcome_of_a_run_is_there_before_the_first_run_ends() -> None:
    for outcome in metrics.OUTCOMES:
        assert (
            metrics.REGISTRY.get_sample_value("lapstream_ingest_runs_total", {"outcome": outcome}) is not None
        )


@pytest.mark.parametrize(
    ("status", "label"),
    [(200, "200"), (304, "304"), (429, "429"), (299, "2xx"), (999, "9xx"), (None, "unreachable")],
)
def test_a_status_that_the_site_makes_up_is_counted_by_its_class(status: int | None, label: str) -> None:
    before = value("lapstream_site_requests_total", status=label)
    metrics.site_answered(status)
    assert value("lapstream_site_requests_total", status=label) == before + 1


def test_what_nobody_measured_is_shown_as_no_number() -> None:
    metrics.outbox_holds(3, 1.5)
    assert value("lapstream_outbox_backlog_rows") == 3
    metrics.outbox_unknown()
    assert math.isnan(value("lapstream_outbox_backlog_rows"))
    assert math.isnan(value("lapstream_outbox_oldest_age_seconds"))


def test_the_exposition_is_text_that_prometheus_reads() -> None:
    body, content_type = metrics.exposition()
    assert content_type.startswith("text/plain")
    assert b"# TYPE lapstream_ingest_runs_total counter" in body
