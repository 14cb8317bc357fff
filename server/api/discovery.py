"""`POST /practice-days/discover`: on which days of a month a track has practice, asked of the site."""

import asyncio
import datetime as dt
from http import HTTPStatus
from typing import Annotated

from litestar import post
from litestar.params import JSONBody
from msgspec import Meta, Struct

from schemas import fields as f
from schemas.askable import fault_of_day
from schemas.events import Finding
from schemas.fields import FIRST_YEAR, LAST_YEAR
from schemas.scopes import Scope
from server.api.bodies import StrictJson, unacceptable
from server.http.answers import Details, Success, success
from server.http.callers import needs
from server.http.refusals import SITE_RETRY_SECONDS, Refusal
from server.http.responses import refusals
from server.http.services import ApiRequest, services_of

LONGEST_SECONDS = 60.0
"""How long the site may take, the wait for its pace included."""


class DiscoverRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A month of a track."""

    track_slug: f.TrackSlug
    year: Annotated[int, Meta(ge=FIRST_YEAR, le=LAST_YEAR)]
    month: Annotated[int, Meta(ge=1, le=12)]


class DiscoveredDay(Struct, frozen=True, kw_only=True):
    """A day with practice, and how many sessions the site has of it at present."""

    date: dt.date
    sessions: int


class Discovered(Struct, frozen=True, kw_only=True):
    """The days of the month that have practice; a month without any has none."""

    track_slug: str
    year: int
    month: int
    days: list[DiscoveredDay]
    findings: list[Finding]


@post(
    "/practice-days/discover",
    operation_id="discoverPracticeDays",
    tags=["import"],
    status_code=HTTPStatus.OK,
    dto=StrictJson[DiscoverRequest],
    guards=[needs(Scope.ingest)],
    responses=refusals(400, 401, 403, 413, 422, 429, 502, 503),
)
async def discover(request: ApiRequest, data: JSONBody[DiscoverRequest]) -> Success[Discovered]:
    """Ask the site on which days of a month a track has practice; nothing is stored."""
    if fault := fault_of_day(dt.date(data.year, data.month, 1)):
        raise unacceptable("month", fault)
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            found = await services_of(request).discover(data.track_slug, data.year, data.month)
    except TimeoutError as error:
        raise Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "site_busy",
            f"no answer within {LONGEST_SECONDS:.0f} s: the site is paused, or much is being fetched, or the "
            "broker or the database is away",
            source="site",
            details=Details(retry_after_seconds=SITE_RETRY_SECONDS),
        ) from error
    days = [DiscoveredDay(date=day.date, sessions=day.sessions) for day in found.days]
    return success(
        Discovered(
            track_slug=data.track_slug,
            year=data.year,
            month=data.month,
            days=days,
            findings=list(found.findings),
        )
    )
