"""Why a client can't connect to a broker, or log in: aiokafka says only that it could not connect.

Each address is tried once more, alone, and what happens is told: what was found, and which field of
`BrokerAccess` is probably wrong.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Any, NamedTuple

from aiokafka import conn
from aiokafka.errors import (
    BrokerResponseError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from broker.access import ENDPOINT, PASSWORD, BrokerAccess
from broker.tokens import NoToken

LOOK_SECONDS = 3.0
"""How long the search for a reason may take."""

_OTHER_NAME = frozenset((62, 64))
"""OpenSSL's codes for a certificate of another host name, or of another IP address."""

_TLS_ALERT = 0x15
"""The first byte of what a TLS server answers to a client that does not speak TLS."""


_conn: Any = conn
"""aiokafka's module of connections, which has no types."""


class NotReached(KafkaConnectionError):
    """What was found at an address, and the fields of `BrokerAccess` one of which is probably wrong."""

    def __init__(self, address: str, found: str, fields: Sequence[str]) -> None:
        self.found = f"the broker at {address} {found}"
        super().__init__(self.found)
        self.fields = fields


class _Reason(NamedTuple):
    found: str
    fields: Sequence[str]


@contextlib.asynccontextmanager
async def telling_why(access: BrokerAccess) -> AsyncGenerator[None]:
    """Start a client in this block: where it can't connect, `NotReached` says why, if that is found."""
    try:
        yield
    except BrokerResponseError:
        raise
    except KafkaError as error:
        if reason := await why_not(access):
            raise reason from error
        raise


async def why_not(access: BrokerAccess) -> NotReached | None:
    """Why the brokers can't be used; None where they can, or where nothing answers at all."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS):
            return await _first_reason(access)
    return None


async def _first_reason(access: BrokerAccess) -> NotReached | None:
    """Try the addresses that are set, then those that the brokers give for themselves."""
    options = access.options()
    hosts: list[tuple[str, int, object]] = _conn.collect_hosts(options.pop("bootstrap_servers"))
    addresses = [(host, port) for host, port, _ in hosts]
    tried: set[tuple[str, int]] = set()
    while left := [one for one in addresses if one not in tried]:
        for host, port in left:
            tried.add((host, port))
            try:
                addresses += await _brokers(host, port, options)
            except (OSError, KafkaError) as error:
                if reason := _reason(error, access):
                    return NotReached(f"{host}:{port}", *reason)
    return None


async def _brokers(host: str, port: int, options: dict[str, Any]) -> list[tuple[str, int]]:
    """What the broker at an address says where the brokers are."""
    connection: Any = _conn.AIOKafkaConnection(host, port, **options)
    try:
        await connection.connect()
        answer = await connection.send(MetadataRequest([]))
        return [(found[1], found[2]) for found in answer.brokers]
    finally:
        connection.close()


def _reason(error: Exception, access: BrokerAccess) -> _Reason | None:
    for one in _with_causes(error):
        if reason := _of_login(one, access) or _of_encryption(one, access):
            return reason
    return None


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _of_login(error: BaseException, access: BrokerAccess) -> _Reason | None:
    if isinstance(error, NoToken):
        return _Reason(f"asks for a token, and {error.args[0]}", [ENDPOINT])
    if isinstance(error, SaslAuthenticationFailed):
        said = error.args[0] if error.args else "it gives no reason"
        return _Reason(f"refuses the login: {said}", [ENDPOINT] if access.takes_tokens else PASSWORD)
    if isinstance(error, UnsupportedSaslMechanismError):
        return _Reason(f"does not take {access.sasl_mechanism}", ["sasl_mechanism"])
    if isinstance(error, IllegalSaslStateError):
        return _Reason("takes no login", ["security_protocol"])
    return None


def _of_encryption(error: BaseException, access: BrokerAccess) -> _Reason | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        said = error.verify_message.rstrip(".")
        if error.verify_code in _OTHER_NAME:
            return _Reason(f"shows a certificate of another name: {said}", ["bootstrap"])
        return _Reason(f"shows a certificate that can't be verified: {said}", ["ssl_ca_location"])
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        return _Reason(
            "does not take the certificate that it is shown, or none", ["ssl_certificate_location"]
        )
    if access.encrypts and isinstance(error, ssl.SSLError | ConnectionResetError):
        return _Reason("does not speak TLS", ["security_protocol"])
    if isinstance(error, asyncio.IncompleteReadError):
        return _of_closing(error, access)
    return None


def _of_closing(error: asyncio.IncompleteReadError, access: BrokerAccess) -> _Reason | None:
    """What it means that a broker closes a connection in place of an answer.

    The client takes the first four bytes of an answer for its length: what it then expected shows them.
    """
    if (error.expected or 0) >> 24 == _TLS_ALERT:
        return _Reason("speaks TLS", ["security_protocol"])
    if not access.logs_in:
        return _Reason("closes the connection: it wants a login, or is not ready yet", ["security_protocol"])
    return None
