"""What follows from what: pure functions from a page's facts to the events that say so."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from producer.obtain import Obtained, Unobtainable
from producer.pages import PARSER_VERSION
from runs.run import Refresh
from schemas.events import (
    DayFacts,
    ListedSession,
    PracticeDayListed,
    PracticeDayListFailed,
    PracticeDayRequested,
    SessionDetailFailed,
    SessionDetailFetched,
    SessionDetailRequested,
    SessionFacts,
)
from schemas.identity import row_digest


def day_listed(
    request: PracticeDayRequested, obtained: Obtained[DayFacts], time_zone: str | None
) -> PracticeDayListed:
    """The day as its list page says."""
    return PracticeDayListed(
        source=request.source,
        track_slug=request.track_slug,
        time_zone=time_zone,
        observed_at=obtained.page.observed_at,
        parser_version=PARSER_VERSION,
        page_sha256=obtained.page.sha256,
        **msgspec.structs.asdict(obtained.facts),
    )


def list_failed(request: PracticeDayRequested, url: str, failure: Unobtainable) -> PracticeDayListFailed:
    """The day's list failed to be fetched."""
    return PracticeDayListFailed(
        source=request.source,
        track_slug=request.track_slug,
        date=request.date,
        **_why(url, failure),
    )


class PlannedDetail(NamedTuple):
    """The request for a session's page, and whether it is made at all."""

    request: SessionDetailRequested
    wanted: bool


def plan_details(
    listed: PracticeDayListed, refresh: Refresh, stored: Mapping[str, str | None], now: dt.datetime
) -> list[PlannedDetail]:
    """What is to be done for each session of a list, in the order of the list.

    `stored` are the sessions whose detail is there, with the digest of the list row it was fetched for.
    """
    rows = {session.session_id: session for session in listed.sessions}
    requests = [_detail_request(listed, session, now) for session in rows.values()]
    return [PlannedDetail(one, _wanted(one, refresh, stored)) for one in requests]


def _wanted(request: SessionDetailRequested, refresh: Refresh, stored: Mapping[str, str | None]) -> bool:
    if refresh == "all" or request.session_id not in stored:
        return True
    return refresh == "changed" and stored[request.session_id] != request.list_row_digest


def _detail_request(
    listed: PracticeDayListed, session: ListedSession, now: dt.datetime
) -> SessionDetailRequested:
    return SessionDetailRequested(
        source=listed.source,
        track_slug=listed.track_slug,
        date=listed.date,
        session_id=session.session_id,
        requested_at=now,
        start_time=session.start_time,
        list_row_digest=row_digest(session),
    )


def detail_fetched(request: SessionDetailRequested, obtained: Obtained[SessionFacts]) -> SessionDetailFetched:
    """The session as its page says, for the day that it was asked for."""
    return SessionDetailFetched(
        source=request.source,
        track_slug=request.track_slug,
        observed_at=obtained.page.observed_at,
        parser_version=PARSER_VERSION,
        page_sha256=obtained.page.sha256,
        list_row_digest=request.list_row_digest,
        **msgspec.structs.asdict(obtained.facts),
    )


def detail_failed(request: SessionDetailRequested, url: str, failure: Unobtainable) -> SessionDetailFailed:
    """The session's page failed to be fetched."""
    return SessionDetailFailed(
        source=request.source,
        track_slug=request.track_slug,
        date=request.date,
        session_id=request.session_id,
        **_why(url, failure),
    )


def _why(url: str, failure: Unobtainable) -> dict[str, Any]:
    """What every event of failure says of it."""
    return {
        "observed_at": failure.observed_at,
        "parser_version": PARSER_VERSION,
        "code": failure.error.code,
        "message": str(failure)[:2000],
        "url": url,
        "attempts": failure.attempts,
        "page_sha256": failure.page.sha256 if failure.page else None,
    }
