"""`lapstream keys`: a token is shown once, works at once, and ends when its key is revoked."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from lapstream.cli.commands.keys import app
from runtime.database import connected
from runtime.settings import Settings, environment
from schemas.errors import LapstreamError
from server.http.api_keys import NameTaken, NoSuchKey
from store.pool import fetch_one
from tests.api import asking, data_of, error_of, settings_of


@pytest.fixture
async def settings(dsn: str) -> Settings:
    return settings_of(dsn, api_open_read=False)


async def keys(settings: Settings, *arguments: str, answer: str | None = None) -> Result:
    """What the command says, in a thread of its own, for it has a loop of its own."""
    return await asyncio.to_thread(
        CliRunner().invoke, app, arguments, input=answer, env=environment(settings), standalone_mode=False
    )


async def told(settings: Settings, *arguments: str) -> Any:
    """The JSON that the command says."""
    result = await keys(settings, *arguments, "--json")
    assert result.exception is None
    return json.loads(result.stdout)


async def test_a_new_key_works_and_its_token_is_kept_nowhere(settings: Settings) -> None:
    made = await told(settings, "create", "front-end", "--scope", "ingest", "--scope", "read")
    assert (made["name"], made["scopes"]) == ("front-end", ["read", "ingest"])
    async with asking(settings) as api:
        data_of(await api.get("/tracks", headers={"X-Api-Key": made["token"]}))
    async with connected(settings) as connection:
        row = await fetch_one(connection, "SELECT api_keys::text AS row FROM api_keys")
    assert made["token"] not in row["row"]
    [listed] = await told(settings, "list")
    assert listed == {name: value for name, value in made.items() if name != "token"}


async def test_a_key_is_shown_to_a_person_with_its_token_alone_on_stdout(settings: Settings) -> None:
    result = await keys(settings, "create", "front-end", "--scope", "read")
    assert result.stdout.strip().startswith("lapstream_")
    assert "can't be shown again" in result.stderr
    assert "front-end" in (await keys(settings, "list")).stdout


async def test_a_name_is_taken_until_its_key_is_revoked(settings: Settings) -> None:
    first = await told(settings, "create", "front-end", "--scope", "read")
    assert isinstance((await keys(settings, "create", "front-end", "--scope", "read")).exception, NameTaken)
    revoked = await told(settings, "revoke", "front-end", "--yes")
    assert (revoked["id"], revoked["revoked_at"] is None) == (first["id"], False)
    async with asking(settings) as api:
        error_of(await api.get("/tracks", headers={"X-Api-Key": first["token"]}), 401)
    second = await told(settings, "create", "front-end", "--scope", "read")
    assert [key["id"] for key in await told(settings, "list")] == [first["id"], second["id"]]


async def test_revoking_asks_first(settings: Settings) -> None:
    await told(settings, "create", "front-end", "--scope", "read")
    await keys(settings, "revoke", "front-end", answer="n\n")
    assert [key["revoked_at"] for key in await told(settings, "list")] == [None]
    await keys(settings, "revoke", "front-end", answer="y\n")
    error = (await keys(settings, "revoke", "front-end", "--yes")).exception
    assert isinstance(error, NoSuchKey)
    assert isinstance(error, LapstreamError)
