"""A token endpoint: the client-credentials grant, for one client, with tokens that the caller makes."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from urllib.parse import parse_qs

CLIENT = ("lapstream", "nineteen-herons")
"""The one client's id and secret."""


class TokenServer:
    """What it was asked for, and where it listens."""

    def __init__(self, make: Callable[[], str], *, expires_in: float) -> None:
        self._make = make
        self._expires_in = expires_in
        self.asked: list[dict[str, list[str]]] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and close the connection."""
        asked = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in asked.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(fields["content-length"]))
        self.asked.append(parse_qs(body.decode()))
        given = base64.b64decode(asked.partition("Basic ")[2].partition("\r\n")[0]).decode()
        status, answer = 200, {"access_token": self._make(), "expires_in": self._expires_in}
        if given != ":".join(CLIENT):
            status, answer = 401, {"error": "invalid_client", "error_description": "no such client"}
        text = json.dumps(answer)
        writer.write(
            f"HTTP/1.1 {status} x\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode()
        )
        writer.close()


@contextlib.asynccontextmanager
async def token_server(make: Callable[[], str], *, expires_in: float) -> AsyncGenerator[TokenServer]:
    """The endpoint, for the length of a block."""
    found = TokenServer(make, expires_in=expires_in)
    async with await asyncio.start_server(found.answer, "127.0.0.1", 0) as server:
        found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"
        yield found
