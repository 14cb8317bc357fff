"""The API as tests ask it: a server on a free port, a client with a key, days and runs in the tables."""

import ssl
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from consumers.practice_days import apply as project
from consumers.track_records import TRACK_RECORDS
from consumers.track_records import apply as project_records
from producer.pages.month import MonthPage
from runtime.database import connected, database
from runtime.obtaining import Discover
from runtime.settings import Settings
from schemas.events import Event
from schemas.scopes import Scope
from server.http import api_keys
from server.listening import serving
from tests.events import received

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of plain HTTP: httpx would read all certificates of authorities for each client."""


async def no_month(slug: str, year: int, month: int) -> MonthPage:
    """A site on which no month has practice."""
    return MonthPage()


def settings_of(dsn: str, **changes: Any) -> Settings:
    """Settings of an API that needs no broker."""
    usual: dict[str, Any] = {
        "kafka_bootstrap": "unused:1",
        "site": "http://127.0.0.1/{track_slug}",
        "api_port": 0,
        "api_requests_per_minute": 100_000,
    }
    return Settings(postgres_dsn=dsn, **(usual | changes))


async def token(settings: Settings, *scopes: Scope) -> str:
    """The token of a new key."""
    async with connected(settings) as connection:
        _, token = await api_keys.create(connection, f"key of {' '.join(scopes)}", scopes)
    return token


@asynccontextmanager
async def asking(
    settings: Settings, *scopes: Scope, discover: Discover = no_month
) -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a running API, with a key for these scopes."""
    headers = {"Authorization": f"Bearer {await token(settings, *scopes)}"} if scopes else {}
    async with (
        serving(settings, discover) as address,
        client_of(f"{address}/api/v1", headers=headers) as client,
    ):
        yield client


def client_of(base_url: str, **options: Any) -> httpx.AsyncClient:
    """A client of a server on this machine, which reads no certificates of authorities."""
    return httpx.AsyncClient(base_url=base_url, verify=NO_TLS, trust_env=False, timeout=30, **options)


async def stored(settings: Settings, events: Iterable[Event]) -> None:
    """Put what these events say into the tables."""
    async with connected(settings) as connection, connection.transaction():
        await project(connection, [received(event) for event in events])


async def stored_with_records(settings: Settings, events: Sequence[Event]) -> None:
    """Put what these events say into the tables of both projections."""
    await stored(settings, events)
    async with (
        database(settings, size=1, schema=TRACK_RECORDS.schema) as pool,
        pool.acquire() as connection,
        connection.transaction(),
    ):
        await project_records(connection, [received(event) for event in events])


def data_of(response: httpx.Response, status: int = 200) -> Any:
    """The data of an answer that is a success."""
    assert response.status_code == status, response.text
    body = response.json()
    assert body.keys() == {"success", "data"}
    assert body["success"] is True
    return body["data"]


def error_of(response: httpx.Response, status: int) -> Any:
    """The error of an answer that is none."""
    assert response.status_code == status, response.text
    body = response.json()
    assert body.keys() == {"success", "error"}
    assert body["success"] is False
    assert body["error"].keys() == {"code", "message", "details", "source"}
    return body["error"]
