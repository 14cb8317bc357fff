"""Spans, and the context of a trace: a `traceparent` goes in, that of the work which it caused comes out.

Without an SDK every span is none: what came in is carried on as it is. `runtime.telemetry` sets one up.
"""

import contextlib
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Protocol

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

LONGEST_TRACEPARENT = 200
"""Characters of a `traceparent` that are looked at; the standard's has 55."""

HEADER = "traceparent"

_tracer: Tracer = trace.get_tracer("lapstream")
_propagator = TraceContextTextMapPropagator()
_TRACE_ID = slice(3, 35)


PROCESS = "process"
"""The operation of work on records, as OpenTelemetry's conventions for messaging name it."""


class Placed(Protocol):
    """A record, by where it lies."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...


def processing(group: str, records: Sequence[Placed]) -> dict[str, AttributeValue]:
    """What a span says of the records that a group works on, in the terms of the conventions for messaging.

    Of several records it says how many they are, and where they lie as far as all lie there.
    """
    topics = {record.topic for record in records}
    partitions = {record.partition for record in records}
    attributes: dict[str, AttributeValue] = {
        "messaging.system": "kafka",
        "messaging.operation.name": PROCESS,
        "messaging.operation.type": PROCESS,
        "messaging.consumer.group.name": group,
    }
    if len(topics) == 1:
        attributes["messaging.destination.name"] = records[0].topic
        if len(partitions) == 1:
            attributes["messaging.destination.partition.id"] = str(records[0].partition)
    if len(records) == 1:
        attributes["messaging.kafka.offset"] = records[0].offset
    else:
        attributes["messaging.batch.message_count"] = len(records)
    return attributes


@contextlib.contextmanager
def span(
    name: str,
    traceparent: str | None = None,
    *,
    others: Iterable[str] = (),
    kind: SpanKind = SpanKind.INTERNAL,
    attributes: Mapping[str, AttributeValue] | None = None,
) -> Generator[Span]:
    """A span for the length of a block: a child of what `traceparent` names, linked to the others.

    Without a `traceparent`, or with one that is none, it begins a trace of its own.
    """
    links = [Link(found) for other in others if (found := _span_context(other)).is_valid]
    with _tracer.start_as_current_span(
        name, _context(traceparent), kind=kind, attributes=attributes, links=links
    ) as started:
        yield started


def carried(traceparent: str | None) -> str | None:
    """The context for what follows from work that came with this one: the current span's, if of its trace.

    A batch holds what belongs to many traces; where the span is of another one, or there is none, what came
    is carried on as it is.
    """
    came = _span_context(traceparent)
    now = trace.get_current_span().get_span_context()
    same = came.is_valid and came.trace_id == now.trace_id and came.span_id != now.span_id
    return current() if same else traceparent


def current() -> str | None:
    """The current span's context; None where there is none."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get(HEADER)


def current_trace_id() -> str | None:
    """The trace that the current span belongs to, in hex; None where there is none."""
    return _trace_id(trace.get_current_span().get_span_context())


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace that a `traceparent` names, in hex; None where it names none."""
    return _trace_id(_span_context(traceparent))


def _trace_id(context: SpanContext) -> str | None:
    return f"{context.trace_id:032x}" if context.is_valid else None


def fail(reason: str) -> None:
    """Mark the current span as failed, by a code."""
    span = trace.get_current_span()
    span.set_status(StatusCode.ERROR, reason)
    span.set_attribute("error.type", reason)


def one_of_each_trace(headers: Iterable[Iterable[tuple[str, bytes | None]]]) -> list[str]:
    """The first `traceparent` of each trace, in the order that records with these headers have."""
    found: dict[str, str] = {}
    for one in headers:
        for name, value in one:
            if name == HEADER and value is not None and len(value) <= LONGEST_TRACEPARENT:
                text = value.decode("ascii", errors="replace")
                found.setdefault(text[_TRACE_ID], text)
    return list(found.values())


def _context(traceparent: str | None) -> Context:
    if traceparent is None or len(traceparent) > LONGEST_TRACEPARENT:
        return Context()
    return _propagator.extract({HEADER: traceparent}, Context())


def _span_context(traceparent: str | None) -> SpanContext:
    return trace.get_current_span(_context(traceparent)).get_span_context()
