"""Every route of the API: what the application answers, and the document describes."""

from collections.abc import Sequence

from litestar import Router
from litestar.handlers import HTTPRouteHandler
from litestar.types import Middleware

from server.api import (
    backfills,
    catalogue,
    discovery,
    health,
    ingest,
    lag,
    parked,
    people,
    provenance,
    reading,
    run_events,
    runs,
)
from server.api.options import options_of

PREFIX = "/api/v1"

HEALTH: tuple[HTTPRouteHandler, ...] = (health.healthz, health.livez, health.readyz)

VERSION_1: tuple[HTTPRouteHandler, ...] = (
    ingest.ingest,
    discovery.discover,
    options_of("/backfills", "GET", "POST"),
    backfills.begin_backfill,
    backfills.list_backfills,
    backfills.read_backfill,
    backfills.retry_failed,
    backfills.cancel_backfill,
    runs.list_runs,
    options_of(runs.RUN, "DELETE", "GET"),
    runs.read_run,
    runs.cancel_run,
    run_events.follow_run,
    runs.retry_failed,
    reading.search_days,
    reading.read_day,
    reading.read_session,
    reading.find_drivers,
    reading.read_driver,
    people.list_people,
    people.read_person,
    options_of("/aliases", "DELETE", "POST"),
    people.set_aliases,
    people.unset_alias,
    reading.list_tracks,
    catalogue.read_catalogue,
    catalogue.find_tracks,
    catalogue.refresh,
    reading.read_records,
    reading.read_history,
    provenance.read_provenance,
    parked.list_parked,
    lag.read_lag,
)


def version_1(*more: HTTPRouteHandler, middleware: Sequence[Middleware] = ()) -> Router:
    """The routes under `/api/v1`."""
    return Router(PREFIX, route_handlers=[*VERSION_1, *more], middleware=middleware)
