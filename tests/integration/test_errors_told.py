"""What every command says of a database or a broker that is there, and does not let it work."""

import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import uuid4

from runtime.settings import Settings
from tests import databases
from tests.commands import ARGUMENTS, Ended, Stdout, ended, internals
from tests.databases import Servers

LOOKING_FIRST = {"runs retry"}
"""Commands that look into the database first, and find nothing there."""

WAITING = {"backfill", "follow", "ingest", "runs retry"}
"""They wait for roles to come before they touch what fails here."""

ROLES = {words for words in ARGUMENTS if words.startswith("run ")}

AT_ONCE = sorted(set(ARGUMENTS) - WAITING - ROLES)
"""Commands that end, or fail, at once."""


NEEDING_A_BROKER = {"events publish", "events tail", "log export", "reparse", "topics check", "topics create"}


def environment(servers: Servers, dsn: str) -> dict[str, str]:
    """Settings for servers that answer, with topics that nobody has made."""
    return {
        "LAPSTREAM_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
        "LAPSTREAM_POSTGRES_DSN": dsn,
        "LAPSTREAM_TOPIC_PREFIX": f"told-{uuid4().hex}-",
        "LAPSTREAM_SITE": "http://127.0.0.1:1/{track_slug}",
        "LAPSTREAM_FETCH_ATTEMPTS": "1",
    }


def wrong(
    commands: Iterable[str], run: Callable[[str], Ended], is_good: Callable[[Ended], bool]
) -> dict[str, Ended]:
    """The commands that say what nobody is to read, or not what they are to say."""
    results = {words: run(words) for words in commands}
    return {
        words: result
        for words, result in results.items()
        if result.code is None or internals(result.out + result.err) or not is_good(result)
    }


async def test_a_database_without_tables_is_to_be_migrated(the_servers: Servers, tmp_path: Path) -> None:
    async with databases.made(the_servers.postgres_dsn) as empty:
        given = environment(the_servers, empty)
        found = wrong(
            [words for words in AT_ONCE if not words.startswith("migrate")],
            lambda words: ended(tmp_path, words, given),
            lambda result: "relation" not in result.err or "lapstream migrate up" in result.err,
        )
    assert found == {}


async def test_a_right_that_is_missing_is_named(the_servers: Servers, dsn: str, tmp_path: Path) -> None:
    async with databases.as_another_user(dsn) as address:
        given = environment(the_servers, address)
        found = wrong(
            AT_ONCE,
            lambda words: ended(tmp_path, words, given),
            lambda result: "denied" not in result.err or "LAPSTREAM_POSTGRES_DSN" in result.err,
        )
    assert found == {}


async def test_a_broker_that_is_away_is_named(the_servers: Servers, dsn: str, tmp_path: Path) -> None:
    given = {**environment(the_servers, dsn), "LAPSTREAM_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    found = wrong(
        [*NEEDING_A_BROKER, *(WAITING - LOOKING_FIRST), *ROLES],
        lambda words: ended(tmp_path, words, given),
        lambda result: "no broker answers at 127.0.0.1:1" in result.err,
    )
    assert found == {}


async def test_no_command_minds_where_its_output_goes(the_servers: Servers, dsn: str, tmp_path: Path) -> None:
    given = environment(the_servers, dsn)
    found = wrong(
        AT_ONCE,
        lambda words: ended(tmp_path, words, given, stdout=Stdout.full),
        lambda result: result.code != 0 or result.err != "",
    )
    assert found == {}


async def test_the_port_of_the_api_that_is_taken_is_named(
    the_servers: Servers, settings: Settings, tmp_path: Path
) -> None:
    topics = {"LAPSTREAM_TOPIC_PREFIX": settings.topic_prefix, "LAPSTREAM_DETAIL_PARTITIONS": "3"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = {**environment(the_servers, settings.postgres_dsn), **topics, "LAPSTREAM_API_PORT": port}
        code, out, err = ended(tmp_path, "run api", given)
    assert (code, out) == (2, "")
    assert err.endswith(
        f"error: can't listen on 127.0.0.1:{port}: Address already in use; "
        "LAPSTREAM_API_HOST and LAPSTREAM_API_PORT say where\n"
    )
