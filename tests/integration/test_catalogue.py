"""The site's list of tracks: fetched by one process when it is due, kept beside what is stored."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence

import pytest

from producer import catalogue
from producer.catalogue import ListedTrack
from producer.cataloguing import Cataloguer
from producer.site import SOURCE, Site
from runtime.obtaining import obtaining
from runtime.settings import Settings
from runtime.wiring import publishing
from sandbox.sample_site import naming
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.site import SampleSite
from sandbox.sample_site.site import Settings as SiteSettings
from schemas.searching import words_of
from store.pool import Pool

CATALOGUE = Match(page="catalogue")
SLUGS = sorted(naming.TRACKS)


@pytest.fixture
async def fleet(settings: Settings, pool: Pool) -> AsyncGenerator[list[Cataloguer]]:
    """Three processes that fetch the catalogue when it is due."""
    async with contextlib.AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(publishing(settings))
        obtainers = [
            await stack.enter_async_context(obtaining(settings, pool, publisher, at_once=2)) for _ in range(3)
        ]
        yield [Cataloguer(pool, Site(settings.site), obtainer) for obtainer in obtainers]


async def ask(pool: Pool) -> None:
    async with pool.acquire() as connection:
        await catalogue.ask_for(connection, SOURCE)


async def known(pool: Pool) -> catalogue.Catalogue:
    async with pool.acquire() as connection:
        found = await catalogue.read(connection, SOURCE)
    assert found
    return found


async def find(pool: Pool, words: str = "", *, gone: bool = False) -> list[ListedTrack]:
    async with pool.acquire() as connection:
        return await catalogue.find(connection, SOURCE, words_of(words), gone=gone, limit=100)


def slugs(tracks: Sequence[ListedTrack]) -> list[str]:
    return [one.track_slug for one in tracks]


async def test_it_is_fetched_by_one_process_once_somebody_asked_and_then_each_week(
    fleet: list[Cataloguer], pool: Pool, site: SampleSite
) -> None:
    await asyncio.gather(*(one.turn() for one in fleet))
    assert site.ledger.count("catalogue") == 0
    await ask(pool)
    await asyncio.gather(*(one.turn() for one in fleet))
    await fleet[0].turn()
    assert site.ledger.count("catalogue") == 1
    assert slugs(await find(pool)) == SLUGS
    assert [slugs(await find(pool, words)) for words in ("umea", "PÅHITTADE klubb", "zlota", "кажется")] == [
        ["umea-paahittad"],
        ["umea-paahittad"],
        ["zlota-petla"],
        [],
    ]
    found = await known(pool)
    assert (found.tracks, found.failures, found.fetching) == (len(SLUGS), 0, False)
    assert found.fetched_at
    assert 6.9 < (found.due_at - found.fetched_at).total_seconds() / 86400 < 7.1

    site.settings = SiteSettings(tracks=tuple(SLUGS[1:]))
    await ask(pool)
    await fleet[1].turn()
    assert slugs(await find(pool)) == SLUGS[1:]
    [former] = [one for one in await find(pool, gone=True) if one.gone_since]
    assert former.track_slug == SLUGS[0]
    site.settings = SiteSettings()
    await ask(pool)
    await fleet[2].turn()
    assert [one.gone_since for one in await find(pool)] == [None] * len(SLUGS)


async def test_a_page_that_is_none_changes_nothing_and_is_asked_for_again_later(
    fleet: list[Cataloguer], pool: Pool, site: SampleSite
) -> None:
    await ask(pool)
    await fleet[0].turn()
    before, listed = await known(pool), await find(pool)
    for failures, kind in enumerate(("login", "bot_check"), 1):
        site.faults.add(Fault(kind=kind, match=CATALOGUE, times=1))
        await ask(pool)
        await fleet[0].turn()
        after = await known(pool)
        assert (after.failures, after.fetched_at, kind in str(after.error)) == (
            failures,
            before.fetched_at,
            True,
        )
        assert await find(pool) == listed
    asked = site.ledger.count("catalogue")
    await ask(pool)
    await fleet[1].turn()
    assert site.ledger.count("catalogue") == asked  # the whole site is left alone
    async with pool.acquire() as connection:
        await connection.execute("DELETE FROM sites")
    await fleet[1].turn()
    assert ((await known(pool)).failures, site.ledger.count("catalogue")) == (0, asked + 1)


async def test_a_list_that_shrinks_by_half_is_a_finding_and_no_track_goes(
    fleet: list[Cataloguer], pool: Pool, site: SampleSite
) -> None:
    await ask(pool)
    await fleet[0].turn()
    site.settings = SiteSettings(tracks=("sample-track", "new-track"))
    await ask(pool)
    await fleet[0].turn()
    found = await known(pool)
    assert [(one.code, one.found, one.expected) for one in found.findings] == [
        ("catalogue_shrank", "2 tracks", f"{len(SLUGS)} tracks")
    ]
    assert slugs(await find(pool)) == sorted([*SLUGS, "new-track"])
