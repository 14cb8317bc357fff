"""The API keys on the terminal: made, listed and revoked."""

import asyncio

from lapstream.cli.output import clean, note, out, print_json, utc
from lapstream.cli.tables import Listing
from lapstream.http import api_keys
from lapstream.http.api_keys import ApiKey
from runtime.database import connected
from runtime.settings import Settings, read_settings
from schemas.scopes import Scope


def create(name: str, scopes: list[Scope], *, as_json: bool) -> None:
    """Make a key and show its token: this once."""
    key, token = asyncio.run(_create(read_settings(), name, scopes))
    if as_json:
        print_json({**_told(key), "token": token})
        return
    out.print(token, soft_wrap=True)
    note(f"the key {key.name} allows {', '.join(key.scopes)}; its token can't be shown again")


async def _create(settings: Settings, name: str, scopes: list[Scope]) -> tuple[ApiKey, str]:
    async with connected(settings) as connection:
        return await api_keys.create(connection, name, scopes)


def list_all(*, as_json: bool) -> None:
    """List all keys, those that were revoked too."""
    keys = asyncio.run(_list(read_settings()))
    if as_json:
        print_json([_told(key) for key in keys])
        return
    table = Listing(
        "Name", "Scopes", "Created", "Revoked", folded={"Name"}, worded={"Scopes", "Created", "Revoked"}
    )
    for key in keys:
        table.add(clean(key.name), ", ".join(key.scopes), utc(key.created_at), utc(key.revoked_at))
    out.print(table)


async def _list(settings: Settings) -> list[ApiKey]:
    async with connected(settings) as connection:
        return await api_keys.list_all(connection)


def revoke(name: str, *, as_json: bool) -> None:
    """End a key, at once and for good."""
    key = asyncio.run(_revoke(read_settings(), name))
    if as_json:
        print_json(_told(key))
    else:
        out.print(clean(f"the key {key.name} is revoked"))


async def _revoke(settings: Settings, name: str) -> ApiKey:
    async with connected(settings) as connection:
        return await api_keys.revoke(connection, name)


def _told(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }
