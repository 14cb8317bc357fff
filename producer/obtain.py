"""From an address to what its page says: fetch, parse, keep; with bounded retries, politely.

Each page that came is published as it is, whatever stands in it, together with what it says. What
failed to be fetched in the end is an `Unobtainable`, which an event of failure is made from.
"""

import asyncio
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
from producer.pages.bounds import check_repeats
from producer.pages.errors import BotCheck, EmptyBody, ErrorPage, PageError, TruncatedPage
from producer.pages.page import open_page
from producer.pages.refusing import refuse
from producer.patience import until_done
from producer.publisher import Publisher
from schemas.envelope import Context
from schemas.pages import ArchivedPage
from store.pages import PageRow
from telemetry import health, metrics

FactsT = TypeVar("FactsT")

BOT_CHECK_BACK_OFF_SECONDS = 900.0
"""How long the whole site is left alone after it asked whether we are a browser."""

KEEP_SECONDS = 2.0
"""How long pages may take to be kept when an obtainer is closed."""

_PASSING = (EmptyBody, TruncatedPage, ErrorPage)

log = structlog.get_logger("lapstream.fetcher")


class Obtained(Struct, Generic[FactsT], frozen=True):
    """What a page says, and the page."""

    facts: FactsT
    page: Page


class Unobtainable(Exception):
    """A page that failed to be fetched: the last error, after how many attempts, and the page if one came."""

    def __init__(self, error: FetchError | PageError, attempts: int, page: Page | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.attempts = attempts
        self.page = page

    @property
    def observed_at(self) -> dt.datetime:
        """When it was given up."""
        return self.page.observed_at if self.page else dt.datetime.now(dt.UTC)


class _Attempts(Struct):
    """What came of an address: the page of the last attempt, if one came, and all that are to be kept."""

    fresh: list[Page]
    last: Page | None = None


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
        self._keeping: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Wait a moment for pages that are being kept; what is not kept by then is told of."""
        if self._keeping:
            _, late = await asyncio.wait(self._keeping, timeout=KEEP_SECONDS)
            for task in late:
                log.error("pages_not_kept", seconds=KEEP_SECONDS)
                task.cancel()

    async def obtain(self, url: str, parse: Callable[[Page], FactsT], context: Context) -> Obtained[FactsT]:
        """What the page at the address says; the pages that came are kept meanwhile. Raises `Unobtainable`.

        While the broker refuses them they wait here, and no further page is asked for.
        """
        with health.waiting("pages to be kept"):
            while self._keeping:
                await asyncio.wait(self._keeping)
        fresh: list[Page] = []
        try:
            return await self.fetch(url, parse, await self._archive.newest(url), fresh)
        finally:
            if fresh:
                keeping = asyncio.create_task(until_done(self._publisher.pages(fresh, context).send))
                self._keeping.add(keeping)
                keeping.add_done_callback(self._keeping.discard)

    async def fetch(
        self, url: str, parse: Callable[[Page], FactsT], known: PageRow | None, fresh: list[Page]
    ) -> Obtained[FactsT]:
        """As `obtain`, but the pages that came are put into `fresh`: the caller keeps them.

        `known` is the newest page of the address: it is asked for only if it changed since.
        """
        came = _Attempts(fresh)
        number = 0
        try:
            async for attempt in stamina.retry_context(
                on=_another_try, attempts=self._attempts, timeout=None, wait_initial=0.2, wait_max=10.0
            ):
                with attempt:
                    number = attempt.num
                    obtained = await self._attempt(url, parse, known, came)
                    metrics.page_obtained(not_modified=obtained.page.not_modified)
                    return obtained
        except (FetchError, PageError) as error:
            metrics.page_failed(error.code)
            if isinstance(error, BotCheck):
                await self._gate.back_off(BOT_CHECK_BACK_OFF_SECONDS, str(error))
            raise Unobtainable(error, number, came.last) from error
        raise AssertionError("unreachable: the retries end with a result or an error")

    async def _attempt(
        self, url: str, parse: Callable[[Page], FactsT], known: PageRow | None, came: _Attempts
    ) -> Obtained[FactsT]:
        """Try once."""
        came.last = None
        page = await self._ask(url, validators(known) if known else NO_VALIDATORS)
        if known and page.not_modified:
            if seen := await self._seen_again(known, page, parse, came):
                return seen
            page = await self._ask(url, NO_VALIDATORS)
        came.last = page
        came.fresh.append(page)
        return Obtained(await asyncio.to_thread(parsed, parse, page), page)

    async def _seen_again(
        self, known: PageRow, answer: Page, parse: Callable[[Page], FactsT], came: _Attempts
    ) -> Obtained[FactsT] | None:
        """What the archived page says; None where it can't be had, or is not what was asked for."""
        archived = await self._archive.read(known)
        if archived is None:
            return None
        came.last = page = _renewed(archived, answer)
        try:
            return Obtained(await asyncio.to_thread(parsed, parse, page), page)
        except ParserFault:
            raise
        except PageError as error:
            log.warning("page_not_in_archive", url=error.url, error=f"{error.code}: {error.found}")
            came.last = None
            return None

    async def _ask(self, url: str, conditions: Mapping[str, str]) -> Page:
        """One request; raises `FetchError`, and `BotCheck` where the answer is one under another status."""
        try:
            async with self._gate.permit(url):
                return await self._client.get(url, conditions)
        except FetchError as error:
            log.info("page_not_fetched", url=url, code=error.code, found=error.found)
            if isinstance(error, BadStatus):
                await asyncio.to_thread(_check_for_browsers, error)
            raise


def _check_for_browsers(error: BadStatus) -> None:
    """Raise `BotCheck` where that stands in the answer: sites give it with 403 or 503, too."""
    try:
        check_repeats(error.body, error.url)
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


def parsed(parse: Callable[[Page], FactsT], page: Page) -> FactsT:
    """What the page says; a fault of the parser itself is a `ParserFault`: it costs a session, no day.

    It may take half a second, and belongs into a thread where others wait for the event loop.
    """
    try:
        check_repeats(page.body, page.url)
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
