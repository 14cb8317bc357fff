"""Traces: carried on as they came without an SDK; with one, a span stands between what came and what goes."""

from typing import Any

import pytest

from telemetry import tracing
from tests.spans import OTHER, OTHER_TRACE, TRACE, TRACEPARENT, name_of, parent_of, recording, trace_of

STRANGE = ["", "00", "no context", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", TRACEPARENT + "x" * 500]


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Any:
    return recording(monkeypatch)


@pytest.mark.parametrize("traceparent", [None, TRACEPARENT, *STRANGE])
def test_without_an_sdk_a_context_is_carried_on_as_it_came(traceparent: str | None) -> None:
    with tracing.span("work", traceparent):
        assert tracing.carried(traceparent) == traceparent


def test_without_an_sdk_the_trace_that_came_is_known_all_the_same() -> None:
    assert tracing.current_trace_id() is None
    with tracing.span("work", TRACEPARENT):
        assert tracing.current_trace_id() == tracing.trace_id_of(TRACEPARENT) == TRACE


def test_a_span_is_the_child_of_what_came_and_the_parent_of_what_goes(spans: Any) -> None:
    with tracing.span("work", TRACEPARENT):
        carried = tracing.carried(TRACEPARENT)
    [span] = spans.get_finished_spans()
    assert (trace_of(span), parent_of(span)) == (TRACE, "00f067aa0ba902b7")
    assert carried == f"00-{TRACE}-{name_of(span)}-01"


@pytest.mark.parametrize("traceparent", STRANGE)
def test_a_context_that_is_none_begins_a_trace_and_is_told_of_nowhere(spans: Any, traceparent: str) -> None:
    with tracing.span("work", traceparent):
        assert tracing.carried(traceparent) == traceparent
    [span] = spans.get_finished_spans()
    assert span.parent is None


def test_what_belongs_to_another_trace_keeps_its_own_context(spans: Any) -> None:
    with tracing.span("batch", TRACEPARENT, others=[OTHER, "no context"]):
        assert tracing.carried(OTHER) == OTHER
        assert tracing.carried(None) is None
    [span] = spans.get_finished_spans()
    assert [f"{link.context.trace_id:032x}" for link in span.links] == [OTHER_TRACE]


def test_work_that_failed_is_marked(spans: Any) -> None:
    with tracing.span("work"):
        tracing.fail("bot_check")
    [span] = spans.get_finished_spans()
    assert (span.status.is_ok, span.status.description) == (False, "bot_check")


def test_of_many_records_one_context_of_each_trace_is_taken() -> None:
    sibling = TRACEPARENT.replace("00f067aa0ba902b7", "00f067aa0ba902b8")
    values = [None, TRACEPARENT.encode(), sibling.encode(), OTHER.encode(), b"\xff" * 40, b"x" * 5_000]
    found = tracing.one_of_each_trace([[("ce_id", b"1"), ("traceparent", value)] for value in values])
    assert found[:2] == [TRACEPARENT, OTHER]
    assert len(found) == 3
