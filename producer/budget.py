"""The budget of each site for the whole fleet: pace, open requests, back-off, the switch, robots.txt."""

import datetime as dt
from enum import StrEnum
from typing import NamedTuple

from store.pool import Connection
from store.statements import statements_of

statement = statements_of(__file__)

PERMIT_SECONDS = 60.0
"""How long a permit holds from the moment that it is for; longer than a request may take."""

ERRORS = 10
"""So many requests in a row that failed start back-off."""

FIRST_BACK_OFF_SECONDS = 60.0
LONGEST_BACK_OFF_SECONDS = 900.0
"""Back-off after errors in a row doubles with each further error that follows it, up to this."""

LONGEST_REASON = 500
ROBOTS_SECONDS = 3600.0
"""How long a robots.txt counts as fresh."""

ROBOTS_FAILED_SECONDS = 60.0
"""How long it is remembered that a robots.txt failed to be fetched, before it is asked for again."""

ASKING_SECONDS = 60.0
"""How long one process may take to ask for a robots.txt before another one does."""


class SiteState(NamedTuple):
    """What holds a site back: the switch, or back-off with its reason and end; and what is open."""

    paused: bool = False
    rest_reason: str | None = None
    rest_seconds: float | None = None
    rest_until: dt.datetime | None = None
    open_requests: int = 0
    errors_in_row: int = 0


class Pace(NamedTuple):
    """How fast a site is asked: seconds between two requests, and how many may be open at once."""

    interval_seconds: float
    at_once: int


class PermitOutcome(StrEnum):
    """How what a permit was for ended: with an answer, without one by the site's fault, or not at all."""

    answered = "answered"
    failed = "failed"
    unused = "unused"


async def reserve(connection: Connection, site: str, pace: Pace, permit: str) -> float | None:
    """Reserve a moment, with a permit of this name: the seconds until then; None where none is free."""
    return await connection.fetchval(statement("reserve_request"), site, *pace, permit, PERMIT_SECONDS)


async def is_open(connection: Connection, site: str, permit: str) -> bool:
    """Whether a request may still begin on its permit: the site is neither paused nor left alone."""
    return bool(await connection.fetchval(statement("request_is_open"), site, permit))


async def give_back(
    connection: Connection, site: str, permit: str, outcome: PermitOutcome, reason: str = ""
) -> None:
    """Give a permit back; too many requests in a row that failed start back-off, for the last's reason."""
    if outcome is PermitOutcome.failed:
        limits = (ERRORS, FIRST_BACK_OFF_SECONDS, LONGEST_BACK_OFF_SECONDS)
        await connection.execute(statement("request_failed"), site, permit, *limits, reason[:LONGEST_REASON])
    else:
        name = "request_done" if outcome is PermitOutcome.answered else "request_unused"
        await connection.execute(statement(name), site, permit)


async def state(connection: Connection, site: str) -> SiteState:
    """What holds the site's requests back at present."""
    row = await connection.fetchrow(statement("site_state"), site)
    return SiteState(*row) if row else SiteState()


async def back_off(connection: Connection, site: str, seconds: float, reason: str) -> None:
    """Leave the site alone for so many seconds."""
    await connection.execute(statement("back_off"), site, seconds, reason[:LONGEST_REASON])


async def pause(connection: Connection, site: str, *, paused: bool) -> None:
    """Turn the switch that stops all fetching; turning it back also ends back-off."""
    await connection.execute(statement("pause_site"), site, paused)


class KeptRobots(NamedTuple):
    """What is known of a robots.txt: the newest that came, its age in seconds, and why none came since."""

    rules: str | None = None
    age: float | None = None
    failure: str | None = None

    def rules_within(self, seconds: float) -> str | None:
        """The rules, where they are younger than this."""
        return self.rules if self.age is not None and self.age < seconds else None


async def read_robots(connection: Connection, address: str) -> KeptRobots:
    """What is known of the robots.txt at this address; a failure is remembered for a while."""
    row = await connection.fetchrow(statement("read_robots"), address, ROBOTS_FAILED_SECONDS)
    return KeptRobots(*row) if row else KeptRobots()


async def claim_robots(connection: Connection, address: str) -> bool:
    """Whether it is this process that asks for the robots.txt now.

    Not so where a fresh one is kept, where another process asks, or where fetching it failed just now.
    """
    limits = (ASKING_SECONDS, ROBOTS_SECONDS, ROBOTS_FAILED_SECONDS)
    return bool(await connection.fetchval(statement("claim_robots"), address, *limits))


async def keep_robots(connection: Connection, address: str, rules: str) -> None:
    """Keep a robots.txt for all processes."""
    await connection.execute(statement("keep_robots"), address, rules)


async def robots_failed(connection: Connection, address: str, failure: str) -> None:
    """Let all processes know that the robots.txt failed to be fetched, and why."""
    await connection.execute(statement("robots_failed"), address, failure[:LONGEST_REASON])


async def give_up_robots(connection: Connection, address: str) -> None:
    """Let another process ask for the robots.txt."""
    await connection.execute(statement("give_up_robots"), address)
