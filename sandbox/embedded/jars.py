"""Apache Kafka's own jars, resolved from Maven coordinates by `jgo` and cached for all homes of a user.

In: coordinates. Out: the jars of a class path, each checked to be whole. They are fetched into a folder
beside the cache that takes its place only when it is complete: an interrupted download is never used.
"""

import re
import shutil
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree.ElementTree import ParseError

import platformdirs

from sandbox.embedded import paths, state
from sandbox.embedded.errors import CacheUnusable, JarsUnavailable

KAFKA_VERSION = "4.3.1"
NAME = f"kafka-{KAFKA_VERSION}"
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    "org.slf4j:slf4j-simple:1.7.36",  # Kafka's pom names no logger, and without one its log is empty
)
DOWNLOADS_AT_ONCE = 4
UNREAD_BY_JAVA = re.compile(r"!/|[^\u0000-\uffff]")
"""What ends a jar's path in an address of what is in it; and characters of which Java has two halves."""


def users_cache() -> Path:
    """The folder that the user's system has for what can be fetched again."""
    return platformdirs.user_cache_path("lapstream")


def place(home: Path) -> Path:
    """Where the jars are, or are to be kept: in the user's cache, or in the home where that can't be used.

    Raises `CacheUnusable` where neither can be.
    """
    cache = users_cache() / NAME
    reason = _complaint(cache)
    if reason is None:
        return cache
    in_home = home / "jars" / NAME
    if _complaint(in_home):
        raise CacheUnusable(cache, reason)
    return in_home


def _complaint(cache: Path) -> str | None:
    """Why jars can't be kept in a folder; None where they are, or can be."""
    if not cache.is_absolute():
        return "it is no absolute path"
    if reason := paths.complaint(cache.resolve()):
        return reason
    if found := UNREAD_BY_JAVA.search(f"{cache.resolve()}/"):
        return f"Java reads no jar in a folder whose path holds {found[0]!r}"
    try:
        return None if _cached(cache) or paths.is_writable(cache) else "it can't be written"
    except OSError as error:
        return str(error)


def jars(
    cache: Path, *, report: Callable[[str], None], repositories: Mapping[str, str] | None = None
) -> list[Path]:
    """The jars of the class path, fetched when they are not cached yet.

    `repositories` are addresses of Maven repositories by name; by default Maven's central one.
    Raises `JarsUnavailable` when they are not cached and can't be fetched.
    """
    try:
        if not _cached(cache):
            with state.locked(cache.with_name(cache.name + ".lock"), report=report):
                _fill(cache, report, repositories)
    except (OSError, RuntimeError, ParseError, zipfile.BadZipFile) as cause:
        raise JarsUnavailable(cache, cause) from cause
    return _cached(cache)


def _cached(cache: Path) -> list[Path]:
    return sorted(cache.glob("*.jar"))


def _fill(cache: Path, report: Callable[[str], None], repositories: Mapping[str, str] | None) -> None:
    if _cached(cache):  # another command fetched them while this one waited
        return
    report(f"fetching Apache Kafka {KAFKA_VERSION} from Maven Central (once, about 45 MB)…")
    draft = cache.with_name(cache.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    _fetch(draft, repositories)
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
