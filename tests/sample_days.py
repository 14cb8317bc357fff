"""Days of the sample site as events, read by the parsers from its pages, without a broker."""

from collections.abc import Iterator

from producer import planning
from producer.obtain import Obtained, Page
from producer.pages import parse_day, parse_session
from runtime.settings import Settings
from sandbox.sample_site.day_list import render_day_list
from sandbox.sample_site.model import SampleDay
from sandbox.sample_site.session_page import render_session
from schemas.events import Event, PracticeDayRequested, SessionDetailRequested
from schemas.identity import row_digest
from tests.api import stored_with_records
from tests.events import seen

URL = "https://sample.invalid/practice/"


def events_of(day: SampleDay) -> Iterator[Event]:
    """What a fetcher publishes of a day: its list, and each session's detail."""
    request = PracticeDayRequested(
        source="liverc", track_slug=day.track_slug, date=day.date, requested_at=seen(0)
    )
    body = render_day_list(day)
    listed = planning.day_listed(
        request, Obtained(parse_day(body, url=URL, date=day.date), _page(body)), time_zone=None
    )
    yield listed
    rows = {row.session_id: row for row in listed.sessions}
    for session in day.sessions:
        row = rows[session.session_id]
        facts = parse_session(
            body := render_session(day, session),
            url=URL,
            session_id=row.session_id,
            date=day.date,
            start_time=row.start_time,
        )
        wanted = SessionDetailRequested(
            source="liverc",
            track_slug=day.track_slug,
            date=day.date,
            session_id=row.session_id,
            requested_at=seen(0),
            list_row_digest=row_digest(row),
        )
        yield planning.detail_fetched(wanted, Obtained(facts, _page(body)))


def _page(body: bytes) -> Page:
    return Page(url=URL, status=200, headers={}, body=body, observed_at=seen(1))


async def stored(settings: Settings, *days: SampleDay) -> None:
    """Put days into the tables of both projections."""
    for day in days:
        await stored_with_records(settings, list(events_of(day)))
