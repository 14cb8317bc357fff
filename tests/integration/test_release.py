"""The checklist of a release: it passes on the real thing, and each point fails when its thing is broken."""

import contextlib
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from uuid import uuid4

import msgspec
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from broker.clients import administering, described
from lapstream.cli.release import ReleaseReport
from lapstream.sample_release import judge_sample_day
from ops.imports import follow
from ops.imports.follow import ImportSummary
from ops.release.checklist import judge_own_day
from ops.release.day import Day
from ops.release.installation import InstallationPoints
from ops.release.points import Checklist, Point
from ops.release.scratch import DATABASES, TOPICS
from producer.site import SOURCE
from runtime.settings import Settings
from sandbox.sample_site.faults import Fault, Match
from sandbox.sample_site.generate import generate_day
from sandbox.sample_site.site import SampleSite
from tests import databases
from tests.commands import invoked
from tests.conftest import DAY, TRACK, at, working
from tests.databases import Servers
from tests.events import listed, row
from tests.members import send, until
from tests.processes import LONGEST_SECONDS

THE_DAY = Day(TRACK, DAY)
SESSIONS, LAPS = 3, 4
AT_ONCE = 0.0

ALL = {
    *("migrations", "race_metadata", "topics", "import", "counts", "practice stats", "import again"),
    *("lag", "verify"),
}

BROKEN: Mapping[str, tuple[str, set[str]]] = {
    "a migration is missing": (
        "DELETE FROM public._pogo_migration WHERE migration_id LIKE '0013%'",
        {"migrations"},
    ),
    "a column is gone": (
        "ALTER TABLE practice_days.races RENAME COLUMN race_metadata TO metadata",
        {"race_metadata", "verify"},
    ),
    "a lap is gone": ("DELETE FROM practice_days.laps WHERE lap_number = 4", {"counts", "verify"}),
    "a driver of a session is gone": (
        """
        DELETE FROM practice_days.race_drivers AS d
        USING (SELECT min(source_driver_id) AS id FROM practice_days.race_drivers) AS one
        WHERE d.source_driver_id = one.id
        """,
        {"counts", "verify"},
    ),
    "no session has practice stats": (
        "UPDATE practice_days.races SET race_metadata = NULL",
        {"practice stats", "verify"},
    ),
    "no result has practice stats": (
        """UPDATE practice_days.race_results SET raw_fields_json = '{"avg_top_5": null}'""",
        {"practice stats", "verify"},
    ),
    "a projection is behind": (
        "UPDATE track_records.positions SET next_offset = next_offset - 1 WHERE next_offset > 1",
        {"lag", "verify"},
    ),
    "a row was changed by hand": (
        "UPDATE practice_days.laps SET lap_time_raw = '1.000' WHERE lap_number = 4",
        {"verify"},
    ),
}
"""What is done to the tables, and which points fail by it."""


class Unseen:
    """For who looks at a checklist when it is done."""

    def begin(self, name: str) -> None:
        pass

    def show(self, point: Point) -> None:
        pass


async def imported(settings: Settings, day: Day) -> ImportSummary:
    return await follow.ingest(settings, follow.request(SOURCE, day.track, day.date), follow.unseen)


async def judged(
    settings: Settings,
    import_day: Callable[[Settings, Day], Awaitable[ImportSummary]] = imported,
    lag_seconds: float = LONGEST_SECONDS,
) -> Checklist:
    checklist = Checklist(Unseen())
    await judge_own_day(checklist, settings, THE_DAY, import_day, lag_seconds=lag_seconds)
    return checklist


def named(checklist: Checklist, state: str) -> set[str]:
    return {point.name for point in checklist.points if point.state == state}


def said(checklist: Checklist, name: str) -> str:
    return next(point.found for point in checklist.points if point.name == name)


@contextlib.asynccontextmanager
async def copied(servers: Servers, settings: Settings, change: str) -> AsyncGenerator[Settings]:
    """The same installation with a copy of its database, which is changed."""
    own = settings.postgres_dsn.rpartition("/")[2]
    async with databases.made(servers.postgres_dsn, template=own) as copy:
        async with databases.administered(copy) as connection:
            await connection.execute(change)
        yield at(settings, postgres_dsn=copy)


async def test_each_point_fails_when_its_thing_is_broken(
    the_servers: Servers, settings: Settings, site: SampleSite
) -> None:
    site.put(generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=LAPS))
    summaries: list[ImportSummary] = []

    async def noted(own: Settings, day: Day) -> ImportSummary:
        summaries.append(await imported(own, day))
        return summaries[-1]

    async def as_it_was(_: Settings, __: Day) -> ImportSummary:
        return summaries[-1]

    async with working(settings):
        assert named(await judged(settings, noted), "passed") == ALL

    found: dict[str, set[str]] = {}
    for what, (change, _) in BROKEN.items():
        async with copied(the_servers, settings, change) as broken:
            found[what] = named(await judged(broken, as_it_was, AT_ONCE), "failed")
    assert found == {what: points for what, (_, points) in BROKEN.items()}
    await see_an_import_that_changes_rows(the_servers, settings, summaries[-1])
    await send(settings, [listed(1, row("1"))])
    behind = await judged(settings, as_it_was, AT_ONCE)
    assert named(behind, "failed") == {"lag"}
    assert "track-records-projection is 1 behind, 0 members" in said(behind, "lag")
    await see_broken_topics(settings)


async def see_an_import_that_changes_rows(
    servers: Servers, settings: Settings, summary: ImportSummary
) -> None:
    """The first import leaves the tables as they are; the second one changes a name."""
    calls: list[Settings] = []

    async def import_day(broken: Settings, _: Day) -> ImportSummary:
        calls.append(broken)
        if len(calls) == 2:
            async with databases.administered(broken.postgres_dsn) as connection:
                await connection.execute("UPDATE practice_days.drivers SET display_name = 'Nobody'")
        return summary

    async with copied(servers, settings, "SELECT") as broken:
        checklist = await judged(broken, import_day, AT_ONCE)
    assert named(checklist, "failed") == {"import again", "verify"}
    assert re.fullmatch(r"rows changed: drivers \((\d) before, \1 after\)", said(checklist, "import again"))


async def see_broken_topics(settings: Settings) -> None:
    """A topic has another setting than declared, then it is gone; the day can be imported in between."""
    name = settings.topics.refusals
    change = ConfigResource(ConfigResourceType.TOPIC, name, {"retention.ms": "1000"})
    async with administering(settings.broker) as admin:
        await admin.alter_configs([change])
        differing = Checklist(Unseen())
        assert await InstallationPoints(settings).judge(differing) is None
        await admin.delete_topics([name])

        async def gone() -> bool:
            return not await described(admin, [name])

        await until(gone)
    missing = await judged(settings, lag_seconds=AT_ONCE)
    assert named(differing, "failed") == {"topics"}
    assert f"{name}: retention.ms is 1000, declared 2592000000: `kafka-configs.sh" in said(
        differing, "topics"
    )
    assert said(missing, "topics") == f"{name}: it does not exist: run `lapstream topics create`"
    assert said(missing, "import") == "it needs topics"
    assert named(missing, "not checked") == {"import", "counts", "practice stats", "import again"}


async def test_a_session_that_fails_leaves_the_rest_to_be_judged(
    settings: Settings, site: SampleSite
) -> None:
    day = generate_day(TRACK, DAY, seed=1, sessions=SESSIONS, laps_per_session=LAPS)
    site.put(day)
    session = day.sessions[1].session_id
    site.faults.add(Fault(kind="status", status=500, match=Match(session_id=session)))
    async with working(at(settings, fetch_attempts=1)):
        checklist = await judged(settings)
        site.faults.add(Fault(kind="login", match=Match(page="day_list")))
        without_list = await judged(settings)
    assert named(checklist, "failed") == {"import"}
    assert "partial" in said(checklist, "import")
    assert f"session {session}: " in said(checklist, "import")
    assert said(checklist, "counts").startswith("3 races, 3 race_drivers, 3 race_results, 8 laps: as read")
    assert named(checklist, "not checked") == {"import again"}
    assert named(without_list, "failed") == {"import"}
    assert named(without_list, "not checked") == {"counts", "practice stats", "import again"}
    assert named(without_list, "passed") == {"migrations", "race_metadata", "topics", "lag", "verify"}


async def test_the_sample_day_passes_and_nothing_of_it_stays(
    the_servers: Servers, settings: Settings
) -> None:
    left = f"{DATABASES}{uuid4().hex[:8]}"
    left_topic = f"{settings.topic_prefix}{TOPICS}{left.removeprefix(DATABASES)}-pages"
    async with (
        databases.administered(the_servers.postgres_dsn) as connection,
        administering(settings.broker) as admin,
    ):
        await connection.execute(f"CREATE DATABASE {left}")
        await admin.create_topics([NewTopic(left_topic, 1, 1)])

        async def there() -> bool:
            return bool(await described(admin, [left_topic]))

        await until(there)
        result = await invoked(settings, "verify-release", "--json")
        kept = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}

        async def gone() -> bool:  # a broker hears a moment later what its controller deleted
            names = await admin.list_topics()
            return not any(name.startswith(settings.topic_prefix) and TOPICS in name for name in names)

        await until(gone)
    report = msgspec.json.decode(result.stdout, type=ReleaseReport)
    assert result.exit_code == 0
    assert (report.passed, report.sample, {point.name for point in report.points}) == (
        *(True, True),
        ALL | {"cleanup"},
    )
    found = {point.name: point.found for point in report.points}
    assert found["counts"].startswith("56 races, 56 race_drivers, 56 race_results, 487 laps:")
    assert kept.isdisjoint({left, found["cleanup"].split()[3]})


async def test_a_user_who_may_not_make_databases_is_told(settings: Settings) -> None:
    checklist = Checklist(Unseen())
    async with databases.as_another_user(settings.postgres_dsn, in_role="pg_read_all_data") as reader:
        await judge_sample_day(checklist, at(settings, postgres_dsn=reader), imported)
    assert named(checklist, "failed") == {"import"}
    assert "permission denied to create database" in said(checklist, "import")
    assert named(checklist, "passed") == {"migrations", "race_metadata", "topics"}
    assert said(checklist, "cleanup") == "nothing was made"
