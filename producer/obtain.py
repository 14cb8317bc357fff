"""From an address to what its page says: fetch, parse, keep; with bounded retries, and manners.

Each page that came is published as it is, whatever stands in it, before or together with what it says. What
could not be had in the end is an `Unobtainable`, which an event of failure is made from.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec
import stamina
import structlog
from msgspec import Struct

from producer.archive import Archive, validators
from producer.errors import BadStatus, FetchError, ParserFault
from producer.gate import Gate
from producer.http import NO_VALIDATORS, Client, Page
from producer.pages.errors import BotCheck, EmptyBody, ErrorPage, PageError, TruncatedPage
from producer.pages.page import open_page
from producer.pages.refusing import refuse
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
    """What a page says, and the page; `fresh` are the pages that came, which the archive is to keep."""

    facts: FactsT
    page: Page
    fresh: Sequence[Page] = ()


class Unobtainable(Exception):
    """A page that could not be had: the last error, after how many attempts, and the page if one came.

    `fresh` are the pages that came, which the archive is to keep.
    """

    def __init__(
        self, error: FetchError | PageError, attempts: int, page: Page | None, fresh: Sequence[Page] = ()
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.attempts = attempts
        self.page = page
        self.fresh = fresh

    @property
    def observed_at(self) -> dt.datetime:
        """When it was given up."""
        return self.page.observed_at if self.page else dt.datetime.now(dt.UTC)


class _Came(Struct):
    """What came of an address: the page of the last attempt, if one came, and all that are to be kept."""

    last: Page | None = None
    fresh: list[Page] = msgspec.field(default_factory=list[Page])


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
        """What the page at the address says, and the page kept; raises `Unobtainable`, KafkaError."""
        try:
            obtained = await self.fetch(url, parse, await self._archive.newest(url))
        except Unobtainable as failure:
            await self._publisher.keep_pages(failure.fresh, context)
            raise
        await self._publisher.keep_pages(obtained.fresh, context)
        return obtained

    async def fetch(
        self, url: str, parse: Callable[[Page], FactsT], known: PageRow | None
    ) -> Obtained[FactsT]:
        """As `obtain`, but the caller keeps the pages that came, together with what he makes of them.

        `known` is the newest page of the address: it is asked for only if it changed since.
        """
        came = _Came()
        number = 0
        try:
            async for attempt in stamina.retry_context(
                on=_another_try, attempts=self._attempts, timeout=None, wait_initial=0.2, wait_max=10.0
            ):
                with attempt:
                    number = attempt.num
                    return await self._attempt(url, parse, known, came)
        except (FetchError, PageError) as error:
            if isinstance(error, BotCheck):
                await self._gate.rest(BOT_CHECK_REST_SECONDS, str(error))
            raise Unobtainable(error, number, came.last, came.fresh) from error
        raise AssertionError("unreachable: the retries end with a result or an error")

    async def _attempt(
        self, url: str, parse: Callable[[Page], FactsT], known: PageRow | None, came: _Came
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
        return Obtained(parsed(parse, page), page, came.fresh)

    async def _seen_again(
        self, known: PageRow, answer: Page, parse: Callable[[Page], FactsT], came: _Came
    ) -> Obtained[FactsT] | None:
        """What the archived page says; None where it can't be had, or is not what was asked for."""
        archived = await self._archive.read(known)
        if archived is None:
            return None
        came.last = page = _renewed(archived, answer)
        try:
            return Obtained(parsed(parse, page), page, came.fresh)
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


def parsed(parse: Callable[[Page], FactsT], page: Page) -> FactsT:
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
