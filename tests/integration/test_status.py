"""`lapstream status`: which line is not well, and the exit code, with and without roles at work."""

import socket
from typing import Any

import msgspec

from ops.status.looking import of_api
from producer import budget as sites
from runtime.settings import Settings
from sandbox.embedded import ports
from store.pool import Pool
from tests.api import asking
from tests.commands import invoked
from tests.conftest import at, working
from tests.members import until


async def status(settings: Settings) -> tuple[int, dict[str, Any]]:
    """The exit code of the command, and its lines by name."""
    done = await invoked(settings, "status", "--json")
    found = msgspec.json.decode(done.stdout)
    assert found["well"] is (done.exit_code == 0)
    return done.exit_code, {line["name"]: line for line in found["lines"]}


async def test_the_status_says_what_is_not_well_until_it_is(settings: Settings, pool: Pool) -> None:
    settings = at(settings, api_port=ports.choose())
    code, found = await status(settings)
    assert code == 3
    assert [name for name, line in found.items() if line["well"] is False] == [
        "fetcher",
        "projector",
        "relay",
    ]
    assert found["api"]["well"] is None
    assert found["api"]["found"].startswith(f"none answers at http://127.0.0.1:{settings.api_port}")

    async def is_well() -> bool:
        return (await status(settings))[0] == 0

    async with working(settings), asking(settings):
        await until(is_well)
        async with pool.acquire() as connection:
            await sites.pause(connection, settings.site, paused=True)
        code, found = await status(settings)
    assert (code, [name for name, line in found.items() if line["well"] is False]) == (3, ["site"])
    assert found["api"]["found"] == f"answers at http://127.0.0.1:{settings.api_port}"
    assert found["outbox"]["found"] == "empty"
    assert len([name for name in found if name.startswith("lag of ")]) == 5


async def test_an_api_that_takes_a_request_and_does_not_answer_is_not_well() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stuck:
        host, port = stuck.getsockname()
        found = await of_api(host, port, answer_seconds=0.1)
    assert found.well is False
    assert found.found.startswith(f"does not answer at http://127.0.0.1:{port} within ")


async def test_what_needs_migrations_is_not_said_to_be_the_database_that_is_away(
    settings: Settings, pool: Pool
) -> None:
    async with pool.acquire() as connection:
        await connection.execute("DELETE FROM public._pogo_migration WHERE migration_id = '0015_fleet_looks'")
    code, found = await status(at(settings, api_port=ports.choose()))
    assert (code, found["migrations"]["well"]) == (3, False)
    assert found["relay"]["found"] == found["outbox, parked, site, runs, rebuilds"]["found"]
    assert found["relay"]["found"] == "migrations are missing"
