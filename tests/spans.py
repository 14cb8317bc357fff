"""Spans as tests look at them: kept in memory by the SDK, for one test alone."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from telemetry import tracing

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
OTHER_TRACE = "0af7651916cd43dd8448eb211c80319c"
OTHER = f"00-{OTHER_TRACE}-b7ad6b7169203331-01"


def recording(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Have spans recorded until the test's end."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    return exporter


def trace_of(span: ReadableSpan) -> str:
    """The id of the trace that a span belongs to."""
    return f"{_context(span).trace_id:032x}"


def name_of(span: ReadableSpan) -> str:
    """What others name as the parent, where the span is meant."""
    return f"{_context(span).span_id:016x}"


def parent_of(span: ReadableSpan) -> str | None:
    """The span that this one is a child of."""
    return f"{span.parent.span_id:016x}" if span.parent else None


def _context(span: ReadableSpan):  # noqa: ANN202 - a span's own context
    assert span.context
    return span.context
