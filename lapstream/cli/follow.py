"""A day followed live on the terminal: a line for each session as it comes."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Generator

import msgspec
import typer
from rich.progress import Progress, SpinnerColumn

from lapstream.cli.forms import clock, seconds, text
from lapstream.cli.output import note, out, progress_bar, utc, words, write_line
from ops.imports import live
from ops.imports.live import Begun, Driven, Ended, Told
from producer.site import SOURCE
from runs.following import FollowedDay
from runtime.settings import read_settings
from schemas.terminal import clean_json

STOPPED = 3
"""The exit code where somebody else stopped following."""


def follow(track: str, zone: str | None, *, as_json: bool) -> None:
    """Follow today's day of a track until it is over."""
    with _following(track) as screen:
        ended = asyncio.run(_follow(track, zone, screen, as_json=as_json))
    if ended.why == "stopped":
        note(f"somebody stopped following {track}")
        raise typer.Exit(STOPPED)


async def _follow(track: str, zone: str | None, screen: "FollowScreen", *, as_json: bool) -> Ended:
    async for told in live.follow(read_settings(), SOURCE, track, zone, screen):
        if isinstance(told, Begun):
            screen.begun = True
        if as_json:
            write_line(clean_json(msgspec.json.encode(told)))
        elif line := _line(told):
            out.print(line, soft_wrap=True)
        if isinstance(told, Ended):
            return told
    raise AssertionError("unreachable: a day is followed until it ended")


def _line(told: Told) -> str | None:
    match told:
        case Begun():
            end = utc(told.ends_at)
            return f"{told.track_slug} {told.date} is followed until midnight in {told.time_zone} ({end})"
        case Driven():
            again = "" if told.new else " again"
            return (
                f"{clock(told.start_time)}  {text(told.driver_name)}, {text(told.class_name)}, run "
                f"{told.run}{again}: best {seconds(told.fast_lap_time)}, {text(told.laps)} laps"
            )
        case Ended(why="over"):
            return f"the day is over: {told.sessions} sessions"
        case Ended():
            return None


@contextlib.contextmanager
def _following(track: str) -> Generator["FollowScreen"]:
    """Progress on stderr, for the length of a block; on Ctrl-C it is said that following goes on."""
    with progress_bar(SpinnerColumn(), words("{task.description}")) as progress:
        screen = FollowScreen(progress, track)
        try:
            yield screen
        except KeyboardInterrupt:
            screen.say_what_goes_on()
            raise


class FollowScreen:
    """A line that says when the day was asked for, and lines that say what holds it back."""

    def __init__(self, progress: Progress, track: str) -> None:
        self.begun = False
        self._progress = progress
        self._track = track
        self._task = progress.add_task(f"{track}: waiting for the roles", total=None)
        self._held: str | None = None

    def show(self, day: FollowedDay, sessions: int) -> None:
        now = dt.datetime.now(dt.UTC)
        asked = "not asked for yet" if day.asked_at is None else f"asked for {_ago(now - day.asked_at)} ago"
        due = _ago(max(day.next_at - now, dt.timedelta()))
        self._progress.update(
            self._task,
            description=f"{day.track_slug} {day.date}: {sessions} sessions, {asked}, next in {due}",
        )

    def wait(self, what: str | None) -> None:
        if what == self._held:
            return
        self._held = what
        if what:
            note(f"waiting: {what}")

    def say_what_goes_on(self) -> None:
        """Say what becomes of following without this command."""
        if self.begun:
            note(
                f"{self._track} is followed on without this command until its day is over: `lapstream follow "
                f"{self._track}` looks again, `lapstream follow {self._track} --stop` ends it"
            )
        else:
            note("nothing was asked for yet")


def _ago(time: dt.timedelta) -> str:
    return f"{time.total_seconds():.0f} s"
