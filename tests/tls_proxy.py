"""TLS before a PostgreSQL server, whose build for tests has none: it answers as a server with TLS does."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

_SSL_REQUEST_BYTES = 8
_PIECE_BYTES = 64 * 1024


@contextlib.asynccontextmanager
async def encrypting(host: str, port: int, certificate: Path) -> AsyncGenerator[int]:
    """A port that leads to a server, for those who ask for TLS, and for nobody else."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readexactly(_SSL_REQUEST_BYTES)
            writer.write(b"S")
            await writer.start_tls(context)
            there, back = await asyncio.open_connection(host, port)
            await asyncio.gather(_pipe(reader, back), _pipe(there, writer))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE_BYTES):
        writer.write(piece)
    writer.close()
