"""PgBouncer before the tests' database, where it is installed."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import pytest

from sandbox.embedded import ports, processes

Mode = Literal["session", "transaction", "statement"]

PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin")
START_SECONDS = 10.0


def program() -> str:
    """Where PgBouncer lies; a test that needs it is left out where it is not installed."""
    found = shutil.which("pgbouncer", path=os.pathsep.join([os.environ["PATH"], *PLACES]))
    if found is None:
        pytest.skip("PgBouncer is not installed (Debian's package pgbouncer)")
    return found


@contextlib.asynccontextmanager
async def bouncing(dsn: str, mode: Mode, *, size: int = 30, **settings: object) -> AsyncGenerator[str]:
    """The address of a database through a PgBouncer of its own, which has so many sessions of the server."""
    parts = urlsplit(dsn)
    port = ports.choose()
    server = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password}
    options: dict[str, object] = {
        "listen_addr": ports.HOST,
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": mode,
        "default_pool_size": size,
    }
    target = " ".join(f"{name}={unquote(str(value))}" for name, value in server.items())
    lines = [f"{name} = {value}\n" for name, value in (options | settings).items()]
    with _written(f"[databases]\n* = {target}\n[pgbouncer]\n{''.join(lines)}") as file:
        async with _running(file, port):
            yield parts._replace(netloc=f"lapstream@{ports.HOST}:{port}").geturl()


@contextlib.contextmanager
def _written(text: str) -> Generator[Path]:
    """A file that everybody may read."""
    with tempfile.TemporaryDirectory(prefix="lapstream-bouncer-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        file = Path(folder, "pgbouncer.ini")
        file.write_text(text)
        yield file


@contextlib.asynccontextmanager
async def _running(file: Path, port: int) -> AsyncGenerator[None]:
    account = ["-u", "nobody"] if processes.is_root() else []
    process = await asyncio.create_subprocess_exec(program(), "-q", *account, file, stdout=DEVNULL)
    try:
        async with asyncio.timeout(START_SECONDS):
            while not ports.is_answering(port):
                assert process.returncode is None, "PgBouncer ended; what it said is on stderr"
                await asyncio.sleep(0.02)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
