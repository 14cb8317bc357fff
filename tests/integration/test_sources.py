"""Another system's days, beside those of the site: published onto a topic of their own, read back by source.

Both have the same track, day, session id and transponder.
"""

import datetime as dt
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from lapstream.cli.days import NothingKnown, read_day
from ops.events.lines import NumberedLine
from ops.events.publishing import planned, publish
from ops.log_copies.exporting import export_log
from ops.parked import queries as parked
from ops.parked.queries import Selection
from ops.parked.redrive import Redrive
from ops.provenance.search import Wanted, search
from projections.state import sight
from runs import changes as run_changes
from runs import run as runs
from runtime.settings import Settings
from schemas.envelope import Context, pack
from schemas.events import Event, PracticeDayRequested
from schemas.identity import event_id, track_id
from schemas.lines import line_of
from schemas.scopes import Scope
from schemas.topics import LogTopic, Topics
from store.pool import Pool
from tests.api import asking, data_of
from tests.conftest import at, create_topics, working
from tests.events import DATE, fetched, laps, list_failed, listed, row, seen
from tests.integration.test_rebuild import verified
from tests.integration.test_refusals import until_refused
from tests.lag import watching
from tests.members import until

OWN = "club-days"
LOG = (
    LogTopic("practice-days", ("liverc",)),
    LogTopic(OWN, ("mylaps", "liverc")),
    LogTopic("late", ("mylaps",)),
)


@pytest.fixture
async def settings(settings: Settings) -> Settings:
    """Settings with topics of other producers, which are there."""
    settings = at(settings, log_topics=LOG, api_port=0)
    await create_topics(settings)
    return settings


def of(source: str, event: Any) -> Any:
    """The same, as another source says it."""
    return msgspec.structs.replace(event, source=source)


def topic(settings: Settings, name: str) -> str:
    return f"{settings.topic_prefix}{name}"


async def published(settings: Settings, name: str, *events: Event, run_id: str | None = None) -> None:
    """Publish events as another system does, without a word of the setting."""
    context = Context(source="https://club.example", correlation_id=run_id)
    records = (pack(event, context) for event in events)
    lines = [NumberedLine(1, line_of(record.headers, record.value)) for record in records]
    plan = planned(lines, Topics(), topic(settings, name))
    assert plan.refused == []
    await publish(settings.broker, plan.records)


async def until_applied(settings: Settings) -> None:
    """Return when every projection stands at the ends of its topics."""
    async with watching(settings) as lag:

        async def there() -> bool:
            return not any(one.behind for one in await lag.look() if "projection" in one.group)

        await until(there)


OURS = (listed(1, row("1")), fetched(2, "1"))
THEIRS = (
    of("mylaps", listed(1, row("1", driver_name="Someone Else"), track_name="Their Name")),
    of("mylaps", fetched(2, "1", driver_name="Someone Else", laps=laps(2), fastest_lap=29.5)),
)
FUTURE = of("mylaps", fetched(1, "2", laps=()))


@pytest.fixture
async def applied(settings: Settings, pool: Pool) -> AsyncGenerator[str]:
    """All of it published and applied, while a run imports the day; its id."""
    request = PracticeDayRequested(source="liverc", track_slug="track", date=DATE, requested_at=seen(1))
    async with pool.acquire() as connection:
        run, _ = await run_changes.request(connection, request)
    future = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    async with working(settings, "projector", "relay"):
        await published(settings, "practice-days", *OURS)
        await published(settings, OWN, *THEIRS, of("mylaps", list_failed(3)), run_id=str(run.id))
        await published(settings, OWN, fetched(9, "1", lap_count=99), run_id=str(run.id))
        await published(settings, OWN, msgspec.structs.replace(FUTURE, observed_at=future))
        await published(settings, "late", of("mylaps", fetched(9, "1", lap_count=98)), fetched(9, "1"))
        await until_applied(settings)
        yield str(run.id)


async def test_another_sources_day_is_read_back_beside_the_sites(
    settings: Settings, pool: Pool, applied: str
) -> None:
    ours, theirs = [await read_day(settings, "track", DATE, source) for source in ("liverc", "mylaps")]
    assert [(day.source, day.track_name, day.laps) for day in (ours, theirs)] == [
        ("liverc", "Sample Track", 3),
        ("mylaps", "Their Name", 2),
    ]
    [our_session], [their_session] = ours.sessions, theirs.sessions
    assert (our_session.laps_completed, their_session.laps_completed) == (
        3,
        3,
    )  # by the topics that count most
    assert (our_session.driver_name, their_session.driver_name) == ("Driver 1", "Someone Else")
    assert our_session.driver_id != their_session.driver_id
    with pytest.raises(NothingKnown, match="orbits/track"):
        await read_day(settings, "track", DATE, "orbits")
    async with pool.acquire() as connection:
        run = await runs.read(connection, UUID(applied))
    assert run is not None
    assert (run.state, run.listed_at) == ("running", None)  # whatever other topics say of it

    async with asking(settings, Scope.ingest) as api:
        await assert_read_over_the_api(api, str(their_session.id), str(their_session.driver_id))
        await assert_only_the_sites_tracks_are_imported(api)
        await assert_refusals_are_listed(api)


async def data(api: httpx.AsyncClient, path: str, **query: Any) -> Any:
    return data_of(await api.get(path, params=query))


async def assert_read_over_the_api(api: httpx.AsyncClient, session: str, driver: str) -> None:
    day = f"/practice-days/track/{DATE}"
    assert [(await data(api, day))["source"], (await data(api, day, source="mylaps"))["source"]] == [
        "liverc",
        "mylaps",
    ]
    assert (await api.get(day, params={"source": "orbits"})).status_code == 404
    assert (await api.get(day, params={"source": "My Laps"})).status_code == 400
    assert (await data(api, f"/sessions/{session}"))["source"] == "mylaps"
    assert (await data(api, f"/drivers/{driver}"))["source"] == "mylaps"
    search = [
        [one["source"] for one in (await data(api, "/practice-days/search", **query))["items"]]
        for query in ({}, {"source": "mylaps"}, {"track": "track"}, {"track": "track", "source": "mylaps"})
    ]
    assert [sorted(found) for found in search] == [["liverc", "mylaps"], ["mylaps"], ["liverc"], ["mylaps"]]
    best = await data(api, "/tracks/track/records", source="mylaps")
    assert (best["source"], [one["fast_lap_time"] for one in best["records"]]) == ("mylaps", [29.5])
    first = await data(api, "/tracks", limit=1)
    second = await data(api, "/tracks", limit=1, cursor=first["next_cursor"])
    assert [one["items"][0]["source"] for one in (first, second)] == ["liverc", "mylaps"]
    assert second["next_cursor"] is None
    assert [one["source"] for one in (await data(api, "/ingest-runs"))["items"]] == ["liverc"]


async def assert_only_the_sites_tracks_are_imported(api: httpx.AsyncClient) -> None:
    body = {"track_id": str(track_id("mylaps", "track")), "date": str(DATE)}
    answer = await api.post("/practice-days/ingest", json=body)
    assert (answer.status_code, "track of mylaps" in answer.text) == (422, True)


async def assert_refusals_are_listed(api: httpx.AsyncClient) -> None:
    """By the source that each speaks of, once, a page at a time."""
    first = await data(api, "/parked", limit=1)
    second = await data(api, "/parked", limit=1, cursor=first["next_cursor"])
    assert second["next_cursor"] is None
    both = [*first["items"], *second["items"]]
    assert {one["source"]: one["groups"][0]["code"] for one in both} == {
        "mylaps": "observed_in_future",
        "liverc": "source_not_allowed",
    }
    assert {len(one["groups"]) for one in both} == {2}
    assert [one["source"] for one in (await data(api, "/parked", source="mylaps"))["items"]] == ["mylaps"]
    assert (await data(api, "/parked", state="fixed"))["items"] == []


@pytest.mark.usefixtures("topics_are_named", "applied")
async def test_all_that_reads_the_log_reads_all_of_its_topics(
    settings: Settings, pool: Pool, tmp_path: Path
) -> None:
    refused = [(one["data"]["topic"], one["data"]["code"]) for one in await until_refused(settings, 2)]
    own, late = topic(settings, OWN), topic(settings, "late")
    assert sorted(refused) == [(own, "observed_in_future"), (late, "source_not_allowed")]
    report = await verified(settings)
    assert (report.equal, report.refused) == (True, 2)

    stamp = sight(THEIRS[1], event_id(THEIRS[1])).stamp
    found = await search(settings.broker, settings.topics, [Wanted(stamp, None)], seconds=60)
    assert found.found[stamp.event_id].record.topic == own
    exported = await export_log(settings.broker, settings.topics, tmp_path / "copy", lambda _, __: None)
    manifest = exported.manifest
    assert {OWN, "late"} < {one.name for one in manifest.topics}

    alone = await verified(at(settings, log_topics=LOG[:1]))
    gone = {table.table: table.counts.get("gone", 0) for table in alone.tables if not table.equal}
    assert (gone["tracks"], gone["events"], gone["races"], gone["laps"]) == (1, 1, 1, 2)

    granted = at(settings, log_topics=(*LOG[:2], LogTopic("late", ("*",))))
    async with pool.acquire() as connection:
        heads = await parked.find(connection, Selection(code="source_not_allowed"))
    outcomes = await Redrive(pool, granted.broker, granted.topics, "test").redrive(heads, lambda _: None)
    assert [one.redriven for one in outcomes] == [True, True]
