"""The points of a checklist: what was found of each, and what to do where it is not as it should be.

A check goes in, or the reason why there is none; a point comes out, whatever the check raises that a user can
do something about.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from runtime.faults import explained

PointState = Literal["passed", "failed", "not checked"]


class Found(NamedTuple):
    """What a check found; with `remedy`, what to do, where it is not as it should be."""

    what: str
    remedy: str | None = None


Check = Callable[[], Awaitable[Found]]
"""Looks at one thing; an error that `explained` knows counts as what was found."""


class Point(Struct, frozen=True, kw_only=True):
    """A point of the checklist: what was found, and what to do where it failed."""

    name: str
    state: PointState
    found: str
    remedy: str | None = None


class Screen(Protocol):
    """Where a checklist is shown."""

    def begin(self, name: str) -> None:
        """A point is about to be judged."""
        ...

    def show(self, point: Point) -> None:
        """A point is judged."""
        ...


class Checklist:
    """Points as they are judged, one after the other."""

    def __init__(self, screen: Screen) -> None:
        self.points: list[Point] = []
        self._screen = screen

    async def judge(self, name: str, check: Check) -> None:
        """Judge a point."""
        self._screen.begin(name)
        self._add(await _judged(name, check))

    def skip(self, names: Iterable[str], why: str) -> None:
        """Tell why points can't be judged."""
        for name in names:
            self._add(Point(name=name, state="not checked", found=why))

    def give_up(self, names: Sequence[str], error: Exception, remedy: str | None) -> None:
        """The work ended with an error: the next point failed by it, those after it can't be judged.

        Raises the error where all are judged, and where no user can do anything about it.
        """
        left = [name for name in names if name not in {point.name for point in self.points}]
        if not left:
            raise error
        self._add(_failed(left[0], error, remedy))
        self.skip(left[1:], f"{left[0]} failed")

    def has_passed(self, name: str) -> bool:
        """Whether a point was judged, and passed."""
        return any(point.name == name and point.state == "passed" for point in self.points)

    def _add(self, point: Point) -> None:
        self.points.append(point)
        self._screen.show(point)


async def _judged(name: str, check: Check) -> Point:
    try:
        found = await check()
    except Exception as error:  # noqa: BLE001 - told below, or raised again
        return _failed(name, error)
    return Point(
        name=name, state="failed" if found.remedy else "passed", found=found.what, remedy=found.remedy
    )


def _failed(name: str, error: Exception, remedy: str | None = None) -> Point:
    told = explained(error)
    if told is None:
        raise error
    return Point(name=name, state="failed", found=str(told), remedy=remedy)
