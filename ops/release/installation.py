"""The points that are looked up in an installation: its schema and its topics."""

from collections import defaultdict

from broker.topics import TopicState, check_topics
from ops.release.points import Checklist, Found
from runtime import migrate
from runtime.database import connected
from runtime.settings import Settings
from store.statements import statements_of

statement = statements_of(__file__)

MIGRATIONS, COLUMNS, TOPICS = "migrations", "race_metadata", "topics"

UP = "run `lapstream migrate up`"


class InstallationPoints:
    """The points of an installation; nothing is changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topics_exist = False

    async def judge(self, checklist: Checklist) -> str | None:
        """Judge all points; returns why no day can be imported, where that is so."""
        await checklist.judge(MIGRATIONS, lambda: migrations(self._settings))
        await checklist.judge(COLUMNS, lambda: columns(self._settings))
        await checklist.judge(TOPICS, self._topics)
        needed = [name for name in (MIGRATIONS, COLUMNS) if not checklist.has_passed(name)]
        lacking = needed if self._topics_exist else [*needed, TOPICS]
        return f"it needs {', '.join(lacking)}" if lacking else None

    async def _topics(self) -> Found:
        states = await check_topics(self._settings.broker, self._settings.topics)
        self._topics_exist = all(state.exists for state in states)
        return topics(states)


async def migrations(settings: Settings) -> Found:
    """Whether all migrations are applied; those of a newer release do no harm."""
    found = await migrate.standing(settings.postgres_dsn)
    count = len(found.applied) + len(found.missing)
    if found.missing:
        return Found(f"{len(found.missing)} of {count} are not applied: {', '.join(found.missing)}", UP)
    newer = f"; of a newer release: {', '.join(found.unknown)}" if found.unknown else ""
    return Found(f"all {count} are applied, up to {found.applied[-1]}{newer}")


async def columns(settings: Settings) -> Found:
    """Whether the columns are there that hold practice stats."""
    async with connected(settings) as connection:
        rows = await connection.fetch(statement("stats_columns"))
    wrong = [f"{row['name']} is {row['type'] or 'not there'}" for row in rows if row["type"] != "jsonb"]
    if wrong:
        return Found(
            ", ".join(wrong), f"{UP}; where it has nothing to do, somebody changed the table: mend it by hand"
        )
    return Found(f"{' and '.join(row['name'] for row in rows)} are jsonb")


def topics(states: list[TopicState]) -> Found:
    """Whether all topics are as they are declared."""
    differ: dict[str, list[str]] = defaultdict(list)
    for state in states:
        for difference in state.differences:
            differ[difference].append(state.name)
    if differ:
        return Found(
            "; ".join(f"{', '.join(names)}: {difference}" for difference, names in differ.items()),
            "do what stands with each, then run `lapstream topics check`",
        )
    notes = "".join(f"; {state.name}: {one}" for state in states for one in state.notes)
    return Found(f"all {len(states)} are as declared{notes}")
