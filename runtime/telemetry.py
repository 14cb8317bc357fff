"""Where metrics are shown and traces are sent: settings go in, both work for the length of a block.

Off by default. The SDK of OpenTelemetry is an extra, `tracing`: without it spans cost next to nothing, and
what came in as `traceparent` is carried on.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Generator, Sequence
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from opentelemetry import trace

from runtime import metrics_port
from runtime.readiness import Ready, readiness_of, ready_by
from runtime.settings import Settings, SettingsError, variable
from store.faults import said_by
from telemetry import metrics

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SEND_SECONDS = 2.0
"""How long sending spans may take, and what is left of them at the end."""

LARGEST_QUEUE = 2_048
"""Spans that wait to be sent; what is beyond is lost. All of them go out in one request."""


@contextlib.contextmanager
def observed(settings: Settings, roles: Sequence[str]) -> Generator[None]:
    """Show metrics and send traces of these roles, as far as the settings say; raises `SettingsError`.

    Whether they are ready is looked at in the event loop that runs now.
    """
    metrics.running(version("lapstream"))
    service = f"lapstream-{roles[0]}" if len(roles) == 1 else "lapstream"
    ready = partial(ready_by, readiness_of(settings, roles), asyncio.get_running_loop())
    with showing_metrics(settings, ready), sending_traces(settings, service):
        yield


@contextlib.contextmanager
def showing_metrics(settings: Settings, ready: Callable[[], Ready]) -> Generator[int]:
    """Show metrics and health over HTTP, on the configured port; gives the port, 0 for nowhere.

    Raises `SettingsError` where that can't be listened on.
    """
    if not settings.metrics_port:
        yield 0
        return
    with contextlib.ExitStack() as stack:
        try:
            port = stack.enter_context(metrics_port.showing(settings.api_host, settings.metrics_port, ready))
        except OSError as error:
            raise SettingsError(
                f"can't show metrics on {settings.api_host}:{settings.metrics_port}: "
                f"{said_by(error)}; {variable('api_host')} and {variable('metrics_port')} say where"
            ) from error
        yield port


@contextlib.contextmanager
def sending_traces(settings: Settings, service: str) -> Generator[None]:
    """Send this process's spans, under the service's name, to the configured collector.

    Raises `SettingsError` where the packages for it are missing.
    """
    if not settings.otlp_endpoint:
        yield
        return
    provider = make_provider(settings.otlp_endpoint, service)
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        shut_down(provider)


def make_provider(endpoint: str, service: str) -> "TracerProvider":
    """What makes spans that are sent to a collector; raises `SettingsError` without the extra `tracing`."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            f"{variable('otlp_endpoint')} is set, but the packages that send traces are not installed "
            f"({error}): install lapstream[tracing], or leave it empty"
        ) from error
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=SEND_SECONDS)
    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(
        BatchSpanProcessor(exporter, max_queue_size=LARGEST_QUEUE, max_export_batch_size=LARGEST_QUEUE)
    )
    return provider


def shut_down(provider: "TracerProvider") -> None:
    """Send what is left, for so long as that may take: a collector that is away keeps no role from ending."""
    ending = threading.Thread(target=provider.shutdown, daemon=True)
    ending.start()
    ending.join(SEND_SECONDS)
