"""Parsing a page again: a reading and its page go in, the event that the fetcher would make comes out."""

from functools import partial

from ops.reparse.work import ParseTask
from producer import planning
from producer.http import Page
from producer.obtain import Obtained, parsed
from producer.pages import PageError, parse_day, parse_session
from schemas.envelope import Context, pack
from schemas.events import (
    Observation,
    PracticeDayRequested,
    SessionDetailRequested,
)
from schemas.headers import BadRecord
from schemas.pages import ArchivedPage

CONTEXT = Context(source="lapstream/reparse")
"""What events say of who made them; they belong to no run."""


class Refused(Exception):
    """The present parsers take the page for no page of this kind; the message says what they found."""


def observed_again(reading: ParseTask, archived: ArchivedPage) -> Observation:
    """What the present parsers read in the page, as seen when it was seen; raises `Refused`."""
    page = Page(
        url=archived.url,
        status=archived.status,
        headers=archived.headers,
        body=archived.body,
        observed_at=reading.observed_at,
    )
    try:
        event = parsed(partial(_event, reading), page)
        pack(event, CONTEXT)
    except (PageError, BadRecord) as error:
        raise Refused(str(error)) from error
    return event


def _event(reading: ParseTask, page: Page) -> Observation:
    if reading.session_id is None:
        return _listed(reading, page)
    return _fetched(reading, reading.session_id, page)


def _listed(reading: ParseTask, page: Page) -> Observation:
    facts = parse_day(page.body, url=page.url, date=reading.ref.date)
    request = PracticeDayRequested(**reading.ref._asdict(), requested_at=page.observed_at)
    return planning.day_listed(request, Obtained(facts, page), reading.time_zone)


def _fetched(reading: ParseTask, session_id: str, page: Page) -> Observation:
    facts = parse_session(
        page.body, url=page.url, session_id=session_id, date=reading.ref.date, start_time=reading.start_time
    )
    request = SessionDetailRequested(
        **reading.ref._asdict(),
        session_id=session_id,
        requested_at=page.observed_at,
        list_row_digest=reading.list_row_digest,
    )
    return planning.detail_fetched(request, Obtained(facts, page))
