"""What can happen to a projector, each as a function that does it and returns when it is done.

A member that is stopped goes on after its pause by itself, while other disturbances happen.
"""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
from msgspec import Struct

from bench.kills.members import Member
from bench.kills.roads import Dark, Proxy, Roads
from sandbox.embedded import stack
from sandbox.embedded.state import Which

SHORT_SECONDS = (0.1, 2.0)
LONG_SECONDS = (11.0, 14.0)
"""Longer than the 10 s that a member's session lasts."""

DARK_SECONDS = (0.5, 12.0)

END_SECONDS = 30.0


class Scene(Struct):
    """Who and what can be disturbed; `roads` lead the members to the servers."""

    home: Path
    roads: Roads
    members: list[Member]
    random: random.Random
    pauses: list[asyncio.Task[None]] = []

    def dark(self) -> Dark:
        """What dead connections do with what is sent into them."""
        return self.random.choice(("stops reading", "swallows"))

    async def any_member(self) -> Member:
        """One of the members whose process runs; waits for one."""
        while not (running := [member for member in self.members if member.runs]):  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)
        return self.random.choice(running)


async def kill(scene: Scene) -> None:
    """SIGKILL a projector; its supervisor starts it again."""
    (await scene.any_member()).send(signal.SIGKILL)


async def kill_all(scene: Scene) -> None:
    """SIGKILL every projector at once."""
    for member in scene.members:
        member.send(signal.SIGKILL)


async def stop_short(scene: Scene) -> None:
    """SIGSTOP a projector, and SIGCONT before its session ends."""
    await _pause(scene, scene.random.uniform(*SHORT_SECONDS))


async def stop_long(scene: Scene) -> None:
    """SIGSTOP a projector, and SIGCONT after its session ended."""
    await _pause(scene, scene.random.uniform(*LONG_SECONDS))


async def _pause(scene: Scene, seconds: float) -> None:
    member = await scene.any_member()
    member.send(signal.SIGSTOP)
    scene.pauses.append(asyncio.create_task(_go_on(member, seconds)))


async def _go_on(member: Member, seconds: float) -> None:
    await asyncio.sleep(seconds)
    member.send(signal.SIGCONT)


async def restart_broker(scene: Scene) -> None:
    """Stop the broker in an orderly way, and start it again."""
    await asyncio.to_thread(stack.restart, scene.home, "kafka")


async def crash_broker(scene: Scene) -> None:
    """SIGKILL the broker, and start it again."""
    await _crash(scene, "kafka", signal.SIGKILL)


async def restart_database(scene: Scene) -> None:
    """PostgreSQL's fast shutdown: open transactions are rolled back."""
    await asyncio.to_thread(stack.restart, scene.home, "postgres")


async def stop_database_at_once(scene: Scene) -> None:
    """PostgreSQL's immediate shutdown: no rollback, no checkpoint, recovery at the start."""
    await _crash(scene, "postgres", signal.SIGQUIT)


async def crash_database(scene: Scene) -> None:
    """SIGKILL PostgreSQL's first process; recovery at the start."""
    await _crash(scene, "postgres", signal.SIGKILL)


async def _crash(scene: Scene, which: Which, number: signal.Signals) -> None:
    status = await asyncio.to_thread(stack.status, scene.home)
    server = status.kafka if which == "kafka" else status.postgres
    if server is not None and server.pid is not None:
        process = psutil.Process(server.pid)
        process.send_signal(number)
        await asyncio.to_thread(process.wait, END_SECONDS)
    await asyncio.to_thread(stack.start, scene.home, which)


async def cut_database(scene: Scene) -> None:
    """Every connection to the database dies without a word; new ones work."""
    scene.roads.database.cut(scene.dark())


async def cut_broker(scene: Scene) -> None:
    """Every connection to the broker dies without a word; new ones work."""
    scene.roads.broker.cut(scene.dark())


async def dark_database(scene: Scene) -> None:
    """As `cut_database`, and for a while new connections lead nowhere."""
    await _go_dark(scene, scene.roads.database)


async def dark_broker(scene: Scene) -> None:
    """As `cut_broker`, and for a while new connections lead nowhere."""
    await _go_dark(scene, scene.roads.broker)


async def _go_dark(scene: Scene, road: Proxy) -> None:
    road.go_dark(scene.dark())
    scene.pauses.append(asyncio.create_task(_come_back(road, scene.random.uniform(*DARK_SECONDS))))


async def _come_back(road: Proxy, seconds: float) -> None:
    await asyncio.sleep(seconds)
    road.come_back()


Disturbance = Callable[[Scene], Awaitable[None]]

WEIGHTS: dict[Disturbance, int] = {
    kill: 42,
    kill_all: 6,
    stop_short: 18,
    stop_long: 6,
    restart_broker: 5,
    crash_broker: 4,
    restart_database: 7,
    stop_database_at_once: 6,
    crash_database: 6,
    cut_database: 8,
    cut_broker: 6,
    dark_database: 4,
    dark_broker: 4,
}
"""The kinds, by how often each is drawn."""


def draw(chance: random.Random, count: int) -> list[Disturbance]:
    """A random sequence; with enough of them, each kind at least once."""
    kinds = list(WEIGHTS)
    drawn = chance.choices(kinds, list(WEIGHTS.values()), k=max(0, count - len(kinds)))
    sequence = kinds[: count - len(drawn)] + drawn
    chance.shuffle(sequence)
    return sequence
