"""Where a benchmark runs: an embedded broker and database in a temporary folder, started and stopped here."""

import contextlib
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import NamedTuple

from embedded import stack
from runtime.settings import Settings


class Stage(NamedTuple):
    """Settings of the servers, and the folder that they are in; no site is asked."""

    settings: Settings
    home: Path


@contextlib.contextmanager
def stage(report: Callable[[str], None]) -> Generator[Stage]:
    """A stage for the length of a block; what the servers' start says is reported."""
    with (
        tempfile.TemporaryDirectory(prefix="lapstream-bench-") as folder,
        stack.running(Path(folder), report=report) as servers,
    ):
        settings = Settings(
            kafka_bootstrap=servers.kafka_bootstrap,
            postgres_dsn=servers.postgres_dsn,
            site="http://127.0.0.1/{track_slug}",
        )
        yield Stage(settings, Path(folder))
