"""`lapstream sample-site`: what it says, and how it fails."""

import asyncio
import json
import signal
import socket
import sys

import httpx
import pytest

from lapstream.cli.commands.dev import sample_site
from lapstream.cli.sample_site import SampleSiteError

COMMAND = "import typer; from lapstream.cli.commands.dev import sample_site; typer.run(sample_site)"


async def start(*options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", COMMAND, *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def stopped(process: asyncio.subprocess.Process) -> tuple[str, int | None]:
    process.send_signal(signal.SIGTERM)
    rest, _ = await process.communicate()
    return rest.decode(), process.returncode


async def test_as_json_it_prints_one_line_with_the_addresses() -> None:
    process = await start("--json")
    assert process.stdout is not None
    where = json.loads(await process.stdout.readline())
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{where['control_url']}/statistics")

    assert answer.json()["total"] == 0
    assert where["site_template"] == where["base_url"] + "/{track_slug}"
    assert await stopped(process) == ("", 0)


async def test_a_person_is_told_the_site_template_and_the_controls() -> None:
    process = await start()
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode() for _ in range(2)]

    assert lines[0].startswith("site template  http://127.0.0.1:")
    assert lines[1].startswith("controls       http://127.0.0.1:")
    assert await stopped(process) == ("", 0)


def test_a_taken_port_is_an_error_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SampleSiteError, match=rf"{port}.*--port 0 takes a free port"):
            sample_site(port=port)
