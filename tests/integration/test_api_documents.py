"""The documents of the contract over HTTP, as they are on file."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from runtime.settings import Settings
from schemas.contract import documents
from tests.api import asking, error_of, settings_of
from tests.sources import ROOT


@pytest.fixture(scope="module")
async def api(shared_dsn: str) -> AsyncGenerator[httpx.AsyncClient]:
    async with asking(settings_of(shared_dsn)) as client:
        yield client


@pytest.mark.parametrize("name", documents.schemas())
async def test_a_schema_is_served_as_it_is_on_file(api: httpx.AsyncClient, name: str) -> None:
    found = await api.get(f"/schemas/{name}")
    assert found.headers["content-type"].startswith("application/schema+json")
    assert found.text == (ROOT / "docs" / "schemas" / f"{name}.json").read_text()


@pytest.mark.parametrize("name", ["session_detail.fetched.v9", "..%2Fopenapi", "%00"])
async def test_an_unknown_schema_is_not_found(api: httpx.AsyncClient, name: str) -> None:
    found = await api.get(f"/schemas/{name}")
    assert error_of(found, 404)["code"] == "not_found"


async def test_the_asyncapi_document_is_that_on_file(api: httpx.AsyncClient) -> None:
    assert (await api.get("/asyncapi.json")).text == (ROOT / "docs" / "asyncapi.json").read_text()


async def test_the_asyncapi_document_has_the_names_of_this_installation(dsn: str) -> None:
    settings: Settings = settings_of(dsn, topic_prefix="club-", detail_partitions=3)
    async with asking(settings) as client:
        channels = (await client.get("/asyncapi.json")).json()["channels"]
    assert {channel["address"] for channel in channels.values()} == {
        spec.name for spec in settings.topics.specs()
    }
    assert channels["details"]["bindings"]["kafka"]["partitions"] == 3
