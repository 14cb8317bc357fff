"""Every command with arguments that it runs with, and how a process of it ends.

A process is forked from one that has imported everything, so that it starts in a hundredth of a second.
"""

import asyncio
import multiprocessing
import os
import pkgutil
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import typer
from typer.testing import CliRunner, Result

import lapstream.cli
from lapstream.cli.tree import app, tree_for
from runtime.settings import Settings
from runtime.settings import environment as environment_of

RUN = "ed629a62-949c-4dbd-9f18-093ae9ef682a"
EVENTS = str(files("schemas").joinpath("contract/released/practice_day.requested.v1/1.examples.jsonl"))
PARKED = "practice-days/0/7"

ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "aliases list": (),
    "aliases set": ("thornwick", "9783013"),
    "aliases unset": ("9783013",),
    "backfill": ("sample-track", "--from", "2025-10", "--to", "2025-10"),
    "backfills cancel": (RUN,),
    "backfills list": (),
    "backfills retry": (RUN,),
    "backfills show": (RUN,),
    "compare": ("thornwick", "21290331"),
    "config": (),
    "day": ("sample-track", "2025-10-25"),
    "days": (),
    "digest": (),
    "discover": ("sample-track", "2025-10"),
    "drivers": ("thornwick",),
    "events conformance": (),
    "events examples": (),
    "events publish": (EVENTS,),
    "events tail": ("--no-follow",),
    "events validate": (EVENTS,),
    "export": ("sample-track", "--parquet", "files"),
    "ingest": ("sample-track", "2025-10-25"),
    "follow": ("canberra", "--zone", "Australia/Sydney"),
    "keys create": ("front-end", "--scope", "read"),
    "keys list": (),
    "keys revoke": ("front-end", "--yes"),
    "lag": (),
    "laps": ("21290331",),
    "log check": ("copy", "--topics"),
    "log export": ("copy",),
    "log import": ("copy", "--yes"),
    "migrate down": ("--yes",),
    "migrate up": (),
    "parked discard": ("--reason", "a test", "--yes"),
    "parked export": ("parked.jsonl", "--yes"),
    "parked list": (),
    "parked publish-fixed": (PARKED, __file__),
    "parked redrive": (),
    "parked show": (PARKED,),
    "parse day": ("page.html",),
    "parse month": ("page.html",),
    "parse session": ("page.html",),
    "prune": ("--before", "90d", "--yes"),
    "rebuild cancel": ("practice-days",),
    "rebuild pause": ("practice-days",),
    "rebuild resume": ("practice-days",),
    "rebuild rollback": ("practice-days",),
    "rebuild start": ("practice-days",),
    "rebuild status": (),
    "records": ("sample-track",),
    "reparse": (),
    "run api": (),
    "run fetcher": (),
    "run projector": (),
    "run relay": (),
    "runs cancel": (RUN, "--yes"),
    "runs list": (),
    "runs retry": (RUN,),
    "runs show": (RUN,),
    "schemas": ("--check",),
    "site pause": (),
    "site resume": (),
    "site status": (),
    "status": (),
    "topics acls": (),
    "topics check": (),
    "topics create": (),
    "tracks add": ("canberra", "--zone", "Australia/Sydney"),
    "tracks find": ("canberra",),
    "tracks list": (),
    "tracks refresh": (),
    "tracks remove": ("canberra",),
    "tracks set": ("canberra", "--follow"),
    "verify": ("practice-days",),
    "why": ("laps", "sample-track/2025-10-25/1/1"),
}
"""The commands that neither start servers nor run until they are told to stop, with arguments."""

OTHERS = {"demo", "dev down", "dev status", "dev up", "sample-site", "verify-release"}
"""The other ones."""

NOTHING_ANSWERS = {
    "LAPSTREAM_POSTGRES_DSN": "postgresql://someone:hush-hush@127.0.0.1:1/lapstream",
    "LAPSTREAM_KAFKA_BOOTSTRAP": "127.0.0.1:1",
    "LAPSTREAM_CONTACT": "someone@example.org",
}
"""Settings of servers that are away."""

_INTERNALS = re.compile(
    r"Traceback|internal error|\w(Error|Exception)\b|<class|object at 0x|\[Errno|\b0x[0-9a-f]{6}"
    r"|\b(SELECT|INSERT|UPDATE|DELETE)\b.*\b(FROM|INTO|SET)\b|\('"
)
"""What nobody is to read who typed a command."""


class Ended(NamedTuple):
    """How a command ended."""

    code: int | None
    out: str
    err: str


def all_of(tree: typer.Typer = app, *prefix: str) -> Iterator[str]:
    """Every command by its words."""
    for command in tree.registered_commands:
        yield " ".join((*prefix, command.name or getattr(command.callback, "__name__", "")))
    for group in tree.registered_groups:
        assert group.typer_instance
        assert group.name
        yield from all_of(group.typer_instance, *prefix, group.name)


_forking = multiprocessing.get_context("forkserver")
_WORK = [
    f"lapstream.cli.{one.name}"
    for one in pkgutil.iter_modules(lapstream.cli.__path__)
    if one.name != "__main__"
]
_forking.set_forkserver_preload(["tests.commands", "runtime.faults", *_WORK])

SECONDS = 30.0
"""How long a command may take that is to fail."""


class Stdout(StrEnum):
    """What standard output is."""

    file = "file"
    closed = "closed"
    full = "full"
    gone = "gone"


def ended(
    folder: Path,
    words: str,
    environment: Mapping[str, str],
    *,
    arguments: Sequence[str] | None = None,
    stdout: Stdout = Stdout.file,
) -> Ended:
    """Run a command in this folder, with arguments that it runs with unless others are given."""
    given = ARGUMENTS[words] if arguments is None else arguments
    process = _forking.Process(target=_run, args=(folder, [*words.split(), *given], environment, stdout))
    process.start()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    return Ended(process.exitcode, *((folder / name).read_text() for name in ("stdout", "stderr")))


async def ended_beside(settings: Settings, *words: str) -> Ended:
    """How a command of these settings ends, while the test's own tasks go on."""
    with tempfile.TemporaryDirectory() as folder:
        return await asyncio.to_thread(
            ended, Path(folder), words[0], environment_of(settings), arguments=words[1:]
        )


async def invoked(settings: Settings, *words: str) -> Result:
    """How a command of these settings ends in this process, where a test may have changed parts of it.

    It has a thread of its own, for it has a loop of its own; what it raises is left as it is.
    """
    return await asyncio.to_thread(
        CliRunner().invoke, tree_for(words), words, env=environment_of(settings), prog_name="lapstream"
    )


def _run(folder: Path, words: Sequence[str], environment: Mapping[str, str], stdout: Stdout) -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    _make(stdout)
    kept_open = None if stdout == Stdout.closed else os.fdopen(1, "w", closefd=False)
    sys.stdout = kept_open
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["lapstream", *words]
    lapstream.cli.main()


def _make(stdout: Stdout) -> None:
    """Make standard output such that it can't be written, unless it is to be a file."""
    if stdout == Stdout.closed:
        os.close(1)
    elif stdout == Stdout.full:
        os.dup2(os.open("/dev/full", os.O_WRONLY), 1)
    elif stdout == Stdout.gone:
        reader, writer = os.pipe()
        os.dup2(writer, 1)
        os.close(reader)


def internals(text: str) -> list[str]:
    """What a text shows that nobody is to read."""
    return [found[0] for found in _INTERNALS.finditer(text)]
