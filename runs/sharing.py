"""Looks that many share: one task looks at each thing that is followed, for all of its followers."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Hashable
from typing import Generic, NamedTuple, TypeVar

from store.pool import RELEASE_SECONDS
from store.waiting import set_within

SHORTEST_SECONDS = 0.05
"""How long after each look there is no other one: a thing may move a hundred times a second."""

KeyT = TypeVar("KeyT", bound=Hashable)
FoundT = TypeVar("FoundT")


class Look(NamedTuple, Generic[FoundT]):
    """What was found, and the number of the look, from 1."""

    number: int
    found: FoundT


class Followed(Generic[FoundT]):
    """A thing that is followed: looked at when it moved, and at least each so many seconds."""

    def __init__(self, look: Callable[[], Awaitable[FoundT]], every_seconds: float) -> None:
        self.followers = 0
        self.moved = asyncio.Event()
        self.begun = 0
        """The number of the newest look that was begun."""
        self._look = look
        self._every_seconds = every_seconds
        self._ended = 0
        self._newest: Look[FoundT] | Exception | None = None
        self._looked = asyncio.Event()
        self.work = asyncio.create_task(self._keep_looking())

    async def after(self, number: int) -> Look[FoundT]:
        """The newest look after one of this number; raises what that look raised."""
        while self._ended <= number or self._newest is None:
            await self._looked.wait()
        if isinstance(self._newest, Exception):
            raise self._newest
        return self._newest

    async def _keep_looking(self) -> None:
        while True:
            self.moved.clear()
            self.begun += 1
            try:
                self._newest = Look(self.begun, await self._look())
            except Exception as error:  # noqa: BLE001 - each follower raises it
                self._newest = error
            self._ended = self.begun
            looked, self._looked = self._looked, asyncio.Event()
            looked.set()
            await asyncio.sleep(SHORTEST_SECONDS)
            await set_within(self.moved, self._every_seconds)


class Shared(Generic[KeyT, FoundT]):
    """What is followed at present, by its key."""

    def __init__(self, look: Callable[[KeyT], Awaitable[FoundT]], every_seconds: float) -> None:
        self._look = look
        self._every_seconds = every_seconds
        self._followed: dict[KeyT, Followed[FoundT]] = {}
        self._ending = set[asyncio.Task[None]]()

    def moved(self, key: KeyT) -> None:
        """Have a thing that is followed looked at."""
        if followed := self._followed.get(key):
            followed.moved.set()

    async def updates(self, key: KeyT) -> AsyncGenerator[FoundT]:
        """What each look finds, for as long as it is asked for; raises what a look raises."""
        with self.following(key) as (followed, before):
            look = await followed.after(before)
            yield look.found
            while True:
                look = await followed.after(look.number)
                yield look.found

    @contextlib.contextmanager
    def following(self, key: KeyT) -> Generator[tuple[Followed[FoundT], int]]:
        """The thing, followed by one more, and the number of the look that was begun before."""
        followed = self._followed.get(key)
        if followed is None:
            followed = Followed(lambda: self._look(key), self._every_seconds)
            self._followed[key] = followed
        followed.followers += 1
        followed.moved.set()
        try:
            yield followed, followed.begun
        finally:
            followed.followers -= 1
            if not followed.followers:
                del self._followed[key]
                self._end(followed)

    async def close(self) -> None:
        """Look at nothing any more."""
        for followed in self._followed.values():
            self._end(followed)
        if self._ending:
            await asyncio.wait(self._ending, timeout=RELEASE_SECONDS)

    def _end(self, followed: Followed[FoundT]) -> None:
        self._ending.add(followed.work)
        followed.work.add_done_callback(self._ending.discard)
        followed.work.cancel()
