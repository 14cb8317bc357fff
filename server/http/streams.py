"""Server-sent events: as many streams at a time as a server bears, each open again where it breaks off."""

import contextlib
from collections.abc import AsyncGenerator, Callable
from http import HTTPStatus
from typing import TypeVar
from uuid import UUID

import msgspec
from litestar.response import ServerSentEvent, ServerSentEventMessage
from msgspec import Struct

from schemas.terminal import clean_json
from server.http.answers import Details
from server.http.refusals import Refusal
from server.http.services import Services
from store.pool import TRANSIENT

QUIET_LOOKS = 15
"""After so many looks, a second apart, without a change a comment keeps the stream open."""

KEEP_OPEN = ServerSentEventMessage(comment="", data=None)

REOPEN_MS = 2_000

UpdateT = TypeVar("UpdateT")

Messages = AsyncGenerator[ServerSentEventMessage]


def stream(
    services: Services,
    updates: AsyncGenerator[UpdateT],
    told: Callable[[Services, AsyncGenerator[UpdateT]], Messages],
    run_id: UUID | None = None,
) -> ServerSentEvent:
    """What `told` makes of the updates; raises a `Refusal` where as many streams are open as may be."""
    if services.streams.locked():
        raise Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "too_many_streams",
            "as many streams are open as this server bears: look at the run itself from time to time",
            source="service",
            details=Details(run_id=run_id, retry_after_seconds=REOPEN_MS // 1000),
        )
    return ServerSentEvent(_messages(services, updates, told))


async def _messages(
    services: Services,
    updates: AsyncGenerator[UpdateT],
    told: Callable[[Services, AsyncGenerator[UpdateT]], Messages],
) -> Messages:
    """The stream; where the database goes away, or others were quicker, it breaks off."""
    if services.streams.locked():
        return
    async with services.streams, contextlib.aclosing(updates):
        with contextlib.suppress(*TRANSIENT):
            async for message in told(services, updates):
                yield message


def event_of(name: str, event: Struct) -> ServerSentEventMessage:
    """An event of a stream."""
    data = clean_json(msgspec.json.encode(event))
    return ServerSentEventMessage(event=name, data=data, retry=REOPEN_MS)
