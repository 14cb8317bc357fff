"""Tokens for OAUTHBEARER, from a file or a token endpoint: each new connection logs in with one."""

import asyncio
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import msgspec
from aiokafka import conn
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed
from msgspec import Struct

from broker.access import FILE
from schemas.terminal import clean

ANSWER_SECONDS = 10.0
"""How long the token endpoint may take."""

KEPT_SHARE = 0.8
"""So much of its life a token is used for new connections."""

LONGEST_REASON = 200


_OAuthAuthenticator: Any = conn.OAuthAuthenticator
"""aiokafka carries no types."""

_TokenProvider: Any = AbstractTokenProvider


class NoToken(KafkaConnectionError):
    """No token is to be had at present; the message says why, and shows no secret.

    A client takes it for a broker that can't be reached: it tries again.
    """


class _Login(_OAuthAuthenticator):
    """aiokafka's, which would take a token for accepted that the broker refuses."""

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """The next message to the broker, None at the end; a broker that refuses a token answers with why."""
        if payload:
            raise SaslAuthenticationFailed(clean(payload.decode(errors="replace"))[:LONGEST_REASON])
        base: Any = super()
        return await base.step(payload)


class _Granted(Struct):
    """What a token endpoint answers (RFC 6749, 5.1)."""

    access_token: str
    expires_in: float = 0.0


class _Denied(Struct):
    """How a token endpoint refuses (RFC 6749, 5.2)."""

    error: str = ""
    error_description: str = ""


def make_provider(url: str, client_id: str, client_secret: str, scope: str) -> AbstractTokenProvider:
    """What gives tokens: of a file, or of a token endpoint by the client's credentials."""
    if url.startswith(FILE):
        return TokenFile(Path(unquote(urlsplit(url).path)))
    return TokenEndpoint(url, client_id, client_secret, scope)


class TokenFile(_TokenProvider):
    """A token that another program keeps fresh in a file, which is read for each connection."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        """The token as the file has it now; raises `NoToken`."""
        try:
            found = (await asyncio.to_thread(self._path.read_text, encoding="ascii")).strip()
        except OSError as error:
            raise NoToken(f"the token file {self._path} can't be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise NoToken(f"the token file {self._path} holds no token: it is not ASCII") from None
        if not found:
            raise NoToken(f"the token file {self._path} is empty")
        return found


class TokenEndpoint(_TokenProvider):
    """Tokens by the client-credentials grant (RFC 6749, 4.4); each serves for most of its life."""

    def __init__(self, url: str, client_id: str, client_secret: str, scope: str) -> None:
        self._url = url
        self._login = (client_id, client_secret)
        self._scope = scope
        self._asking = asyncio.Lock()
        self._token = ""
        self._kept_until = 0.0

    async def token(self) -> str:
        """A token that is good for a while yet; raises `NoToken`."""
        async with self._asking:
            if time.monotonic() >= self._kept_until:
                granted = await self._ask()
                self._token = granted.access_token
                self._kept_until = time.monotonic() + KEPT_SHARE * granted.expires_in
            return self._token

    async def _ask(self) -> _Granted:
        given = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        try:
            async with asyncio.timeout(ANSWER_SECONDS), httpx.AsyncClient() as client:
                answer = await client.post(self._url, data=given, auth=self._login)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise NoToken(f"no token comes from {self._url}: {error or 'no answer came in time'}") from error
        if not answer.is_success:
            raise NoToken(f"{self._url} gives no token: {_reason(answer)}")
        try:
            return msgspec.json.decode(answer.content, type=_Granted)
        except msgspec.MsgspecError as error:
            raise NoToken(f"what {self._url} answers is no token: {error}") from None


def _reason(answer: httpx.Response) -> str:
    """Why an endpoint refuses, as far as it says so in the form that is agreed upon."""
    try:
        denied = msgspec.json.decode(answer.content, type=_Denied)
    except msgspec.MsgspecError:
        denied = _Denied()
    said = ": ".join(filter(None, (denied.error, denied.error_description)))[:LONGEST_REASON]
    return f"status {answer.status_code}" + (f", {said}" if said else "")


def see_refusals() -> None:
    """Have every client of this process see when a broker refuses a token; to be done before one connects."""
    conn.OAuthAuthenticator = _Login
