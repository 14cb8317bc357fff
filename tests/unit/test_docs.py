"""The documents hold what the code holds: every field, finding, error, setting, command and link."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct
from typer import Typer

from laps.rows import AliasRow, ComparedLapRow, LapRow, SessionRow
from lapstream.cli.tree import app
from producer.errors import FetchError
from producer.pages.errors import PageError
from producer.pages.findings import Code
from runtime.settings import Settings, variable
from store.finding import FoundDriver
from store.reading import DayHead, DriverSession
from store.records import RecordStep
from tests.docs.page import blocks
from tests.sources import PAGES, ROOT, modules

CHANGELOG = ROOT / "CHANGELOG.md"
DECISIONS = sorted((ROOT / "docs" / "adr").glob("*.md"))
WITHOUT_COMMANDS = {"mermaid", "text", "python", "js", "sql", "json", "yaml"}


def read(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found[1]


def first_cells(text: str) -> list[str]:
    """The names in the first cells of tables' rows."""
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_every_finding_is_described_in_its_own_words() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (.*) \|$", section(read("pages.md"), "Findings"), re.MULTILINE)
    assert dict(rows) == {code.code: code.value for code in Code}


def test_every_error_of_a_page_is_described() -> None:
    kinds = {kind.code for base in (PageError, FetchError) for kind in base.__subclasses__()}
    assert set(first_cells(section(read("pages.md"), "Errors"))) == kinds


def test_every_fault_of_a_record_is_described() -> None:
    raised = re.compile(r'(?:BadRecord|parked)\([^"()]*"(\w+)"|fault = \("(\w+)"')
    codes = {code for _, text in modules() for found in raised.findall(text) for code in found if code}
    assert set(first_cells(section(read("events.md"), "What is refused"))) == codes


def test_every_setting_is_described() -> None:
    assert first_cells(read("settings.md")) == [variable(name) for name in Settings.__struct_fields__]


def commands(tree: Typer, prefix: str) -> Iterator[str]:
    for command in tree.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        yield f"{prefix} {name}"
    for group in tree.registered_groups:
        assert group.typer_instance
        yield from commands(group.typer_instance, f"{prefix} {group.name}")


def test_every_command_is_described() -> None:
    described = first_cells(section(read("commands.md"), "Commands"))
    assert sorted(described) == sorted(commands(app, "lapstream"))


@pytest.mark.parametrize("page", [*PAGES, *DECISIONS, CHANGELOG], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        assert file.exists(), f"{target} leads nowhere"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert anchor in map(slug, headings), f"{target}: no such heading"


def test_decisions_are_numbered_one_after_another() -> None:
    numbered = [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]
    assert [page.name.partition("-")[0] for page in DECISIONS] == numbered
    headings = [page.read_text().partition(".")[0] for page in DECISIONS]
    assert headings == [f"# {int(number)}" for number in numbered]


def test_every_path_of_the_api_is_described() -> None:
    described = re.findall(r"^\| (`(?:GET|POST|DELETE) .*?) \|", read("api.md"), re.MULTILINE)
    paths = {path.partition("?")[0] for path in re.findall(r"(/[^`\s]+)`", "\n".join(described))}
    assert paths == {path.removeprefix("/api/v1") for path in json.loads(read("openapi.json"))["paths"]}


TUTORIAL = "day_classes"
"""What the tutorial's own files are called; they are nowhere else."""


def test_every_file_that_a_page_names_is_there() -> None:
    packages = {path.name for path in ROOT.iterdir() if path.is_dir()}
    files = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    for page in PAGES:
        named = re.findall(r"`((?:[\w.-]+/)+[\w.*-]+\.(?:py|sql|md))`", page.read_text())
        missing = [name for name in named if name.split("/")[0] in packages and not list(ROOT.glob(name))]
        missing += set(re.findall(r"`(test_\w+\.py)`", page.read_text())) - files
        assert [name for name in missing if TUTORIAL not in name] == [], page.name


def test_the_container_guide_says_what_the_compose_file_says() -> None:
    compose, page = (ROOT / "docker-compose.yml").read_text(), read("containers.md")
    said = re.findall(r"image: (\S+)|ports: \[\"(\S+?)(?=:\d+\"\])|#   (export .*)", compose)
    assert len(said) == 6
    assert [text for one in said for text in one if text not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_installs_what_is_on_no_index(page: Path) -> None:
    assert re.findall(r"pip install [^\n`]*lapstream", page.read_text()) == []


@pytest.mark.parametrize("page", [*PAGES, *DECISIONS], ids=lambda page: page.name)
def test_every_fence_with_commands_is_run_or_says_why_not(page: Path) -> None:
    text = page.read_text()
    fences = [block for block in blocks(text) if not block.hidden]
    assert 2 * len(fences) == len(re.findall(r"^ *```", text, re.MULTILINE))
    for fence in fences:
        assert fence.language in {"console", "sh", *WITHOUT_COMMANDS}, fence
        assert fence.language != "console" or fence.body.startswith("$ "), fence
        assert fence.commands or not re.search(r"^(\$|lapstream) ", fence.body, re.MULTILINE), fence


def test_every_page_is_named_in_the_index() -> None:
    index = read("index.md")
    assert [page.name for page in PAGES if page.name != "index.md" and page.name not in index] == []


@pytest.mark.parametrize(
    ("heading", "name", "kind"),
    [
        ("CSV", "days", DayHead),
        ("CSV", "laps", LapRow),
        ("CSV", "drivers", FoundDriver),
        ("CSV", "drivers --sessions", DriverSession),
        ("CSV", "records", RecordStep),
        ("CSV", "aliases list", AliasRow),
        ("CSV", "compare", ComparedLapRow),
        ("Parquet", "sessions", SessionRow),
    ],
)
def test_the_columns_of_what_is_taken_away_are_described(heading: str, name: str, kind: type[Struct]) -> None:
    rows = section(read("laps.md"), heading).splitlines()
    [line] = [line for line in rows if line.startswith(f"| `{name}` |")]
    assert re.findall(r"`(\w+)`", line.rpartition(" | ")[2]) == list(kind.__struct_fields__)
