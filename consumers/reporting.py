"""What is reported of a batch once it is committed, never before it is true: log lines and counts."""

from collections.abc import Sequence

import structlog

from store.parking import ParkedRecord, report_parked
from telemetry import metrics

log = structlog.get_logger("lapstream.projector")


def report_batch(group: str, *, records: int, ignored: int, parked: Sequence[ParkedRecord]) -> None:
    """Report that a batch is written, of which so many records were applied, ignored and parked."""
    metrics.batch_applied(group, records=records, ignored=ignored)
    if ignored:
        log.info("records_ignored", group=group, records=ignored)
    for one in parked:
        report_parked(group, one)
