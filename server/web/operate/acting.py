"""What the operators' forms share: a page that asks first, work beside the requests, and the audit log.

A form that was taken leads to a page that says what it did. What can't be done is told as the command tells
it. Whatever was tried is logged with the name of who did it.
"""

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

import structlog
from litestar import Response
from litestar.response import Redirect
from msgspec import Struct, field

from runtime.database import ServerAway
from runtime.faults import explained
from schemas.errors import LapstreamError
from server.http.refusals import Refusal
from server.http.services import ApiRequest
from server.web.pages import go_to, page
from server.web.session import caller_of

PATIENCE_SECONDS = 20.0
"""How long a form waits for what it asked for; after that its page says that it is at work still."""

AT_ONCE = 4
"""Works beside the requests at a time; the others wait for their turn."""

LONGEST_REASON = 500

FoundT = TypeVar("FoundT")
ChosenT = TypeVar("ChosenT")

log = structlog.get_logger("lapstream.operate")


class Question(Struct, frozen=True, kw_only=True):
    """What is asked before something is changed.

    `place` is the part of the pages that it belongs to, `texts` say what will happen, and `refusal` why it
    can't. The form goes to `action` with `fields`, and with a reason where one is kept.
    """

    place: str
    title: str
    texts: list[str]
    button: str
    action: str
    back: str
    fields: dict[str, str] = field(default_factory=dict[str, str])
    refusal: str | None = None
    reason: bool = False


class Action(NamedTuple):
    """What an operator does, to what, and why, where a reason is asked for."""

    name: str
    subject: str
    reason: str | None = None


def ask(request: ApiRequest, question: Question, fault: str | None = None) -> Response[bytes]:
    """The page that asks; `fault` says what was wrong with its form."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK
    return page(request, "operate/ask.html", status=status, question=question, fault=fault)


def chosen(ways: Mapping[str, ChosenT], what: str, subject: str) -> ChosenT:
    """One of the ways to change something, by the last part of its address; raises a `Refusal` for others."""
    if what not in ways:
        raise Refusal.not_found(f"{subject} can't be made to {what[:40]}: {', '.join(ways)}")
    return ways[what]


async def refusal_of(check: Awaitable[None]) -> str | None:
    """Why something can't be done, by what a check of it raises; None where it can."""
    try:
        await check
    except LapstreamError as error:
        return str(error)
    return None


async def reason_of(request: ApiRequest) -> str | None:
    """The reason that a form gives; None where it gives none."""
    given = str((await request.form()).get("reason", "")).strip()
    return given[:LONGEST_REASON] or None


def lead_to(path: str, did: str, **figures: int) -> Redirect:
    """To a page that says what was done, by the name of a text of `did` and its figures."""
    return go_to(f"{path}{'&' if '?' in path else '?'}{urlencode({'did': did, **figures})}")


def who(request: ApiRequest) -> str:
    """Who asks, as it is kept with what was done."""
    caller = caller_of(request)
    return caller.name if caller and caller.name else "nobody"


@contextlib.asynccontextmanager
async def operating(request: ApiRequest, action: Action) -> AsyncGenerator[None]:
    """Do something in the block, and log who did what, and what came of it.

    Raises a `Refusal` where it can't be done.
    """
    try:
        yield
    except Exception as error:
        told = explained(error)
        _note(request, action, "failed" if told is None else "refused", str(told or repr(error)))
        if told is None or isinstance(told, Refusal):
            raise
        raise _refusal(told) from error
    _note(request, action, "done")


def _note(request: ApiRequest, action: Action, outcome: str, error: str | None = None) -> None:
    caller = caller_of(request)
    log.info(
        "operated",
        action=action.name,
        subject=action.subject,
        reason=action.reason,
        outcome=outcome,
        error=error,
        key=caller.key.name if caller and caller.key else None,
        user=caller.user if caller else None,
        address=request.client.host if request.client else None,
    )


def _refusal(told: Exception) -> Refusal:
    if isinstance(told, ServerAway):
        return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "server_away", str(told), source="service")
    return Refusal(HTTPStatus.CONFLICT, "not_possible", str(told))


_at_work: set[asyncio.Task[Any]] = set()

_threads = ThreadPoolExecutor(AT_ONCE, "operating")
"""Apart from the loop's own, by which names of hosts are resolved: those must never wait for an operator."""


async def carried_out(
    request: ApiRequest, action: Action, work: Callable[[], Coroutine[Any, Any, FoundT]]
) -> FoundT | None:
    """Do something that takes long beside the requests, in a thread; None where it is at work still.

    It goes on then, and its end is logged. `work` opens what it needs itself. Raises a `Refusal`.
    """
    task = asyncio.create_task(_carry_out(request, action, work))
    _at_work.add(task)
    task.add_done_callback(_forget)
    await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
    return task.result() if task.done() else None


def _forget(task: asyncio.Task[Any]) -> None:
    _at_work.discard(task)
    if not task.cancelled():
        task.exception()  # it is logged, and told where a request waits for it


async def _carry_out(
    request: ApiRequest, action: Action, work: Callable[[], Coroutine[Any, Any, FoundT]]
) -> FoundT:
    async with operating(request, action):
        return await in_thread(work)


async def in_thread(work: Callable[[], Coroutine[Any, Any, FoundT]]) -> FoundT:
    """Run this in a thread with a loop of its own, and end it there where this is cancelled."""
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []

    async def run() -> FoundT:
        running.append((asyncio.get_running_loop(), asyncio.current_task()))
        return await work()

    try:
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            _threads, lambda: context.run(asyncio.run, run())
        )
    except asyncio.CancelledError:
        for loop, task in running:
            with contextlib.suppress(RuntimeError):  # it has ended meanwhile
                loop.call_soon_threadsafe(task.cancel if task else loop.stop)
        raise
