"""Rebuilds of what an import left: every projection, with the pages of a site."""

import pytest

from consumers.projection import Projection
from ops.rebuild import states
from runtime.database import connected
from runtime.projections import PROJECTIONS
from runtime.settings import Settings
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from tests.conftest import DAY, TRACK, working
from tests.imports import import_day
from tests.integration.test_rebuild import unseen
from tests.members import until
from tests.outcomes import outcomes

SESSIONS = 6


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda one: one.name)
async def test_a_projection_is_rebuilt_while_the_roles_work_and_nobody_hears_of_it(
    settings: Settings, site: SampleSite, projection: Projection[object]
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=3))
    async with working(settings):
        await import_day(settings)
        await until(lambda: all_pages_indexed(settings))
        told, asked = await outcomes(settings), len(site.ledger.requests)
        verified = await states.rebuild(settings, projection, "verify", unseen)
        swapped = await states.rebuild(settings, projection, "swap", unseen)
        again = await import_day(settings, refresh="changed")

    report = states.report_of(verified)
    assert report
    assert report.equal
    assert all(table.live_rows for table in report.tables if table.table != "driver_observations")
    assert swapped.state == "swapped"
    assert (again.status, again.sessions_ingested) == ("completed", SESSIONS)
    assert len(site.ledger.requests) == asked + 1, "a rebuild asks nothing of the site, an unchanged day once"
    assert [record.key for record in (await outcomes(settings))[len(told) :]] == [told[0].key]


async def all_pages_indexed(settings: Settings) -> bool:
    async with connected(settings) as connection:
        return await connection.fetchval("SELECT count(*) FROM page_index.pages") == SESSIONS + 1
