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
from producer.errors import BadStatus, FetchError, ParserFault
from producer.gate import Gate
from producer.http import NO_VALIDATORS, Client, Page
from producer.pages.errors import BotCheck, EmptyBody, ErrorPage, PageError, TruncatedPage
from producer.pages.page import open_page, refuse
from producer.publisher import Publisher
from schemas.envelope import Context
from schemas.pages import ArchivedPage
from store.pages import PageRow

FactsT = TypeVar("FactsT")

BOT_CHECK_REST_SECONDS = 900.0
"""How long the whole site is left alone after it asked whether we are a browser."""

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
        came: list[Page] = []
        number = 0
        try:
            async for attempt in stamina.retry_context(
                on=_another_try, attempts=self._attempts, timeout=None, wait_initial=0.2, wait_max=10.0
            ):
                with attempt:
                    number = attempt.num
                    return await self._attempt(url, parse, context, came)
        except (FetchError, PageError) as error:
            if isinstance(error, BotCheck):
                await self._gate.rest(BOT_CHECK_REST_SECONDS, str(error))
            raise Unobtainable(error, number, came[-1] if came else None) from error
        raise AssertionError("unreachable: the retries end with a result or an error")

    async def _attempt(
        self, url: str, parse: Callable[[Page], FactsT], context: Context, came: list[Page]
    ) -> Obtained[FactsT]:
        """Try once; `came` is left with the page that came, if one did, whatever stands in it."""
        came.clear()
        known = await self._archive.newest(url)
        page = await self._ask(url, validators(known) if known else NO_VALIDATORS)
        if known and page.not_modified:
            if seen := await self._seen_again(known, page, parse, came):
                return seen
            page = await self._ask(url, NO_VALIDATORS)
        came.append(page)
        await self._publisher.keep_page(page, context)
        return Obtained(_parsed(parse, page), page)

    async def _seen_again(
        self, known: PageRow, answer: Page, parse: Callable[[Page], FactsT], came: list[Page]
    ) -> Obtained[FactsT] | None:
        """What the archived page says; None where it can't be had, or is not what was asked for."""
        archived = await self._archive.read(known)
        if archived is None:
            return None
        came.append(_renewed(archived, answer))
        try:
            return Obtained(_parsed(parse, came[-1]), came[-1])
        except ParserFault:
            raise
        except PageError as error:
            log.warning("page_not_in_archive", url=error.url, error=f"{error.code}: {error.found}")
            came.clear()
            return None

    async def _ask(self, url: str, conditions: Mapping[str, str]) -> Page:
        """One request; raises `FetchError`, and `BotCheck` where the answer is one under another status."""
        try:
            async with self._gate.permit(url):
                return await self._client.get(url, conditions)
        except FetchError as error:
            log.info("page_not_fetched", url=url, code=error.code, found=error.found)
            _check_for_browsers(error)
            raise


def _check_for_browsers(error: FetchError) -> None:
    """Raise `BotCheck` where that stands in the answer: sites give it with 403 or 503, too."""
    if not isinstance(error, BadStatus):
        return
    try:
        refuse(open_page(error.body, error.url), error.body, error.url, "")
    except BotCheck as found:
        raise found from error
    except PageError:
        return


def _renewed(archived: ArchivedPage, answer: Page) -> Page:
    """A page that did not change, as if it had come now."""
    return Page(
        url=archived.url,
        status=archived.status,
        headers=archived.headers | answer.headers,
        body=archived.body,
        observed_at=answer.observed_at,
        not_modified=True,
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
