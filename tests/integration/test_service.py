"""The service as a whole: an API over a real site, its broker and its tables."""

import datetime as dt

from consumers import track_records
from runtime.database import database
from runtime.obtaining import discovering
from runtime.settings import Settings
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from schemas.scopes import Scope
from tests.api import asking, data_of
from tests.conftest import DAY, TRACK, at, working
from tests.events import fetched, listed, received, row


async def test_a_month_is_discovered_at_the_site(settings: Settings, site: SampleSite) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=7))
    async with (
        discovering(settings) as discover,
        asking(at(settings, api_port=0), Scope.ingest, discover=discover) as client,
    ):
        asked = {"track_slug": TRACK, "year": DAY.year, "month": DAY.month}
        found = data_of(await client.post("/practice-days/discover", json=asked))
    assert {"date": DAY.isoformat(), "sessions": 7} in found["days"]
    assert site.ledger.count("month") == 1


async def test_an_import_is_asked_for_waited_for_and_read_back(settings: Settings, site: SampleSite) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=5, laps_per_session=4))
    async with working(settings), asking(at(settings, api_port=0), Scope.ingest) as client:
        asked = {"track_slug": TRACK, "date": DAY.isoformat(), "wait_seconds": 60}
        done = data_of(await client.post("/practice-days/ingest", json=asked))
        assert (done["status"], done["sessions_ingested"], done["laps_ingested"]) == ("completed", 5, 20)
        day = data_of(await client.get(f"/practice-days/{TRACK}/{DAY}"))
        assert (day["event_id"], day["laps"]) == (done["event_id"], 20)
        asked_for = site.ledger.count("session")
        again = data_of(await client.post("/practice-days/ingest", json=asked | {"refresh": "changed"}))
        assert (again["status"], again["laps_ingested"]) == ("completed", 0)
        assert site.ledger.count("session") == asked_for


async def test_records_are_read_from_the_projection_of_their_own(settings: Settings) -> None:
    faster = fetched(3, "2", fastest_lap=29.5)
    async with (
        database(settings, schema="track_records", size=1) as pool,
        pool.acquire() as connection,
        connection.transaction(),
    ):
        await track_records.apply(
            connection, [received(one) for one in (listed(1, row("1"), row("2")), faster)]
        )
    async with asking(at(settings, api_port=0)) as client:
        [record] = data_of(await client.get("/tracks/track/records"))["records"]
        nothing = data_of(await client.get("/tracks/nobody/records"))
    assert (record["session_id"], record["fast_lap_time"]) == ("2", 29.5)
    assert record["date"] == dt.date(2025, 10, 25).isoformat()
    assert nothing["records"] == []
