"""Fetching the catalogue, in a fetcher: by one process of the fleet, once it is due, at the fleet's pace."""

import asyncio
import contextlib

import structlog

from producer import catalogue
from producer.obtain import Obtained, Obtainer, Unobtainable
from producer.pages import CataloguePage, parse_catalogue
from producer.patience import at_database
from producer.site import SOURCE, Site
from schemas.envelope import Context
from store.pool import TRANSIENT, Pool
from store.turns import take_turns
from telemetry import health, metrics

LOOK_SECONDS = 2.0
"""How often it is looked at whether the catalogue is due."""

END_SECONDS = 1.0
"""How long giving up may take when the process is told to stop."""

CONTEXT = Context(source="lapstream/catalogue")

log = structlog.get_logger("lapstream.fetcher")


class Cataloguer:
    """Fetches the catalogue whenever it is due, and no other process does."""

    def __init__(self, pool: Pool, site: Site, obtainer: Obtainer) -> None:
        self._pool = pool
        self._site = site
        self._obtainer = obtainer

    async def work(self, stop: asyncio.Event) -> None:
        """Look whether it is due until told to stop; while the database is away, that waits."""
        with health.working("catalogue of tracks"):
            await take_turns(
                self.turn,
                stop,
                every_seconds=LOOK_SECONDS,
                end_seconds=END_SECONDS,
                away=lambda why: log.info("catalogue_database_away", error=why),
            )

    async def turn(self) -> None:
        """Fetch it, where it is due, no other process fetches it, and the site may be asked."""
        async with self._pool.acquire() as connection:
            if not await catalogue.claim(connection, SOURCE, self._site.name):
                return
        try:
            await self._fetch()
        except BaseException:
            with contextlib.suppress(*TRANSIENT):
                async with self._pool.acquire() as connection:
                    await catalogue.give_up(connection, SOURCE)
            raise

    async def _fetch(self) -> None:
        """Fetch it, and store what it says, or why it failed."""
        try:
            async with asyncio.timeout(catalogue.FETCH_SECONDS):
                obtained = await self._obtain()
        except (Unobtainable, TimeoutError) as failure:
            await self._failed(str(failure) or f"not fetched within {catalogue.FETCH_SECONDS:.0f} s")
            return
        except TRANSIENT:
            raise
        except Exception as failure:
            log.exception("catalogue_broken")
            await self._failed(repr(failure))
            return
        page, observed_at = obtained.facts, obtained.page.observed_at
        findings = await at_database(
            self._pool, lambda connection: catalogue.keep(connection, SOURCE, page, observed_at)
        )
        for one in findings:
            metrics.found(one.code)
        log.info("catalogue_fetched", tracks=len(page.tracks), findings=len(findings))

    async def _failed(self, error: str) -> None:
        seconds = await at_database(
            self._pool, lambda connection: catalogue.failed(connection, SOURCE, error)
        )
        log.warning("catalogue_failed", error=error, wait_seconds=seconds)

    async def _obtain(self) -> Obtained[CataloguePage]:
        return await self._obtainer.obtain(
            self._site.catalogue(),
            lambda page: parse_catalogue(page.body, url=page.url, slug_of=self._site.track_of),
            CONTEXT,
        )
