from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.sample_site.server import RunningSite, serve
from sandbox.sample_site.site import SampleSite


@pytest.fixture
def site() -> SampleSite:
    return SampleSite(seed=7)


@pytest.fixture
async def running(site: SampleSite) -> AsyncIterator[RunningSite]:
    async with serve(site) as running:
        yield running


@pytest.fixture
async def client(running: RunningSite) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.base_url, trust_env=False) as client:
        yield client
