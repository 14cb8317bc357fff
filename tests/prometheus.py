"""Prometheus, where it is installed: its own programs, and a server that scrapes what runs beside a test."""

import asyncio
import contextlib
import json
import os
import shutil
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from sandbox.embedded import ports
from tests.sources import ROOT

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "lapstream.rules.yml"
DASHBOARD = DEPLOY / "grafana" / "lapstream.json"
START_SECONDS = 30.0


def program(name: Literal["prometheus", "promtool"]) -> str:
    """Where a program of Prometheus' lies; a test that needs it is left out where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (Debian's package prometheus)")
    return found


class Prometheus:
    """A running server."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def query(self, expression: str) -> list[Any]:
        """The series that an expression gives now."""
        answer = await self._client.get("/api/v1/query", params={"query": expression})
        body = answer.json()
        assert body["status"] == "success", f"{expression}: {body}"
        return body["data"]["result"]

    async def rules(self) -> dict[str, Any]:
        """What became of each alert's last evaluation."""
        answer = await self._client.get("/api/v1/rules")
        groups = answer.json()["data"]["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}


@contextlib.asynccontextmanager
async def scraping(target: str, *, token: str) -> AsyncGenerator[Prometheus]:
    """A server that scrapes an address with a key, and evaluates the project's alerts, each second."""
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [
            {
                "job_name": "lapstream",
                "authorization": {"credentials": token},
                "static_configs": [{"targets": [target]}],
            }
        ],
    }
    address = f"{ports.HOST}:{ports.choose()}"
    with tempfile.TemporaryDirectory(prefix="lapstream-prometheus-") as name:
        folder = Path(name)
        (folder / "prometheus.yml").write_text(json.dumps(config))
        process = await asyncio.create_subprocess_exec(
            program("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            stdout=DEVNULL,
            stderr=DEVNULL,
            env={**os.environ, "GOMAXPROCS": "1"},
        )
        try:
            async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client:
                await _until_ready(client, process)
                yield Prometheus(client)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _until_ready(client: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            assert process.returncode is None, "Prometheus ended; `prometheus --config.file=…` says why"
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/-/ready")).is_success:
                    return
            await asyncio.sleep(0.05)
