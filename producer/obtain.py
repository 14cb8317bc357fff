"""From an address to what its page says: fetch, keep, parse; with bounded retries, and manners.

Each page that came is published as it is before it is parsed. What could not be had in the end is an
`Unobtainable`, which an event of failure is made from.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import stamina
import structlog
from msgspec import Struct

from producer.archive import Archive, validators
from producer.errors import TOO_MANY, BadStatus, FetchError, ParserFault
from producer.gate import Gate
from producer.http import NO_VALIDATORS, NOT_MODIFIED, Client, Page
from producer.pages.errors import BotCheck, EmptyBody, ErrorPage, PageError, TruncatedPage
from producer.publisher import Publisher
from schemas.envelope import Context
from schemas.pages import ArchivedPage

FactsT = TypeVar("FactsT")

BOT_CHECK_REST_SECONDS = 900.0
"""How long the whole site is left alone after it asked whether we are a browser."""

LONGEST_RETRY_AFTER_SECONDS = 3600.0

TOO_MANY_REST_SECONDS = 60.0
"""How long it is left alone when it says that we ask too much, and not how long to wait."""

_PASSING = (EmptyBody, TruncatedPage, ErrorPage)

log = structlog.get_logger("lapstream.fetcher")


class Obtained(Struct, Generic[FactsT], frozen=True):
    """What a page says, and the page."""

    facts: FactsT
    page: Page


class Unobtainable(Exception):
    """A page that could not be had: the last error, after how many attempts, and the page if one came."""

    def __init__(self, error: FetchError | PageError, attempts: int, page: Page | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.attempts = attempts
        self.page = page

    @property
    def observed_at(self) -> dt.datetime:
        """When it was given up."""
        return self.page.observed_at if self.page else dt.datetime.now(dt.UTC)


class Obtainer:
    """Gets pages from the site: the one place in the program that asks it for anything."""

    def __init__(
        self, client: Client, gate: Gate, publisher: Publisher, archive: Archive, *, attempts: int
    ) -> None:
        self._client = client
        self._gate = gate
        self._publisher = publisher
        self._archive = archive
        self._attempts = attempts

    async def obtain(self, url: str, parse: Callable[[Page], FactsT], context: Context) -> Obtained[FactsT]:
        """What the page at the address says; raises `Unobtainable`."""
        page: Page | None = None
        number = 0
        try:
            async for attempt in stamina.retry_context(
                on=_another_try, attempts=self._attempts, timeout=None, wait_initial=0.2, wait_max=10.0
            ):
                with attempt:
                    number = attempt.num
                    page = None
                    page = await self._fetch(url, context)
                    return Obtained(_parsed(parse, page), page)
        except (FetchError, PageError) as error:
            if isinstance(error, BotCheck):
                await self._gate.rest(BOT_CHECK_REST_SECONDS, str(error))
            raise Unobtainable(error, number, page) from error
        raise AssertionError("unreachable: the retries end with a result or an error")

    async def _fetch(self, url: str, context: Context) -> Page:
        """The page: from the archive where the site says that it is the same, else as it came, and kept."""
        known = await self._archive.newest(url)
        page = await self._ask(url, validators(known) if known else NO_VALIDATORS)
        if known and page.status == NOT_MODIFIED:
            archived = await self._archive.read(known)
            if archived:
                return _seen_again(archived, page)
            page = await self._ask(url, NO_VALIDATORS)
        await self._publisher.keep_page(page, context)
        return page

    async def _ask(self, url: str, conditions: Mapping[str, str]) -> Page:
        """One request; what the site says of waiting is noted for the whole fleet."""
        try:
            async with self._gate.permit(url):
                return await self._client.get(url, conditions)
        except FetchError as error:
            log.info("page_not_fetched", url=url, code=error.code, found=error.found)
            if seconds := _wanted_rest(error):
                await self._gate.rest(seconds, str(error))
            raise


def _wanted_rest(error: FetchError) -> float | None:
    """How long the site wants to be left alone, in seconds; None where it does not say so."""
    if error.retry_after:
        return min(error.retry_after, LONGEST_RETRY_AFTER_SECONDS)
    too_many = isinstance(error, BadStatus) and error.status == TOO_MANY
    return TOO_MANY_REST_SECONDS if too_many else None


def _seen_again(archived: ArchivedPage, answer: Page) -> Page:
    """A page that did not change, as if it had come now."""
    return Page(
        url=archived.url,
        status=archived.status,
        headers=archived.headers,
        body=archived.body,
        observed_at=answer.observed_at,
    )


def _parsed(parse: Callable[[Page], FactsT], page: Page) -> FactsT:
    """What the page says; a fault of the parser itself is a `ParserFault`: it costs a session, no day."""
    try:
        return parse(page)
    except PageError:
        raise
    except Exception as error:
        log.exception("parser_fault", url=page.url)
        raise ParserFault(page.url, repr(error)) from error


def _another_try(error: Exception) -> bool:
    if isinstance(error, FetchError):
        return error.transient
    return isinstance(error, _PASSING)
