"""Apache Kafka's own jars, resolved from Maven coordinates by `jgo` and cached for all homes of a user.

In: coordinates. Out: the jars of a class path, each checked to be whole. They are fetched into a folder
beside the cache that takes its place only when it is complete: an interrupted download is never used.
"""

import shutil
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree.ElementTree import ParseError

import platformdirs

from embedded import state
from embedded.errors import JarsUnavailable

KAFKA_VERSION = "4.3.1"
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    "org.slf4j:slf4j-simple:1.7.36",  # Kafka's pom names no logger, and without one its log is empty
)
DOWNLOADS_AT_ONCE = 4


def default_cache() -> Path:
    """The folder in the user's cache that holds the jars of this version."""
    return platformdirs.user_cache_path("lapstream") / f"kafka-{KAFKA_VERSION}"


def jars(
    cache: Path, *, report: Callable[[str], None], repositories: Mapping[str, str] | None = None
) -> list[Path]:
    """The jars of the class path, fetched when they are not cached yet.

    `repositories` are addresses of Maven repositories by name; by default Maven's central one.
    Raises `JarsUnavailable` when they are not cached and can't be fetched.
    """
    if not _cached(cache):
        with state.locked(cache.with_name(cache.name + ".lock"), report=report):
            _fill(cache, report, repositories)
    return _cached(cache)


def _cached(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.jar"))


def _fill(cache: Path, report: Callable[[str], None], repositories: Mapping[str, str] | None) -> None:
    if _cached(cache):  # another command fetched them while this one waited
        return
    report(f"fetching Apache Kafka {KAFKA_VERSION} from Maven coordinates (once, about 45 MB)…")
    draft = cache.with_name(cache.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        _fetch(draft, repositories)
    except (OSError, RuntimeError, ParseError, zipfile.BadZipFile) as cause:
        raise JarsUnavailable(cache, cause) from cause
    draft.replace(cache)


def _fetch(folder: Path, repositories: Mapping[str, str] | None) -> None:
    from jgo.maven import MavenContext  # noqa: PLC0415 - a third of a second, and needed once

    context = MavenContext(
        repo_cache=folder / "repository", remote_repos=dict(repositories) if repositories else None
    )
    given, transitive = context.resolver.resolve([context.create_dependency(c) for c in COORDINATES])
    needed = given + [d for d in transitive if d.scope in {"compile", "runtime"}]
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        downloads = [pool.submit(dependency.artifact.resolve) for dependency in needed]
    for download in downloads:
        jar = download.result()
        _check(jar)
        jar.replace(folder / jar.name)
    shutil.rmtree(folder / "repository")


def _check(jar: Path) -> None:
    with zipfile.ZipFile(jar) as archive:
        if broken := archive.testzip():
            raise zipfile.BadZipFile(f"{jar.name} is damaged at {broken}")
