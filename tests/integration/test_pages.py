"""The pages of the documents, carried out: their commands print what they say. `make docs` writes them."""

import difflib
import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.docs.page import blocks, lacking
from tests.docs.stage import Stage
from tests.servers import running
from tests.sources import PAGES

ALWAYS = {"tutorial-projection.md"}
"""Pages that every run of the tests carries out; the others only with `LAPSTREAM_TEST_PAGES=all`."""

CARRIED_OUT = [
    page
    for page in PAGES
    if any(block.runs for block in blocks(page.read_text()))
    and (page.name in ALWAYS or os.environ.get("LAPSTREAM_TEST_PAGES") == "all")
]


@pytest.fixture(scope="module")
def stage() -> Generator[Stage]:
    with running() as home:
        yield Stage(home)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", CARRIED_OUT, ids=lambda page: page.name)
def test_a_page_says_what_its_commands_print(stage: Stage, page: Path) -> None:
    said = page.read_text()
    if missing := lacking(said):
        pytest.skip(f"the page uses {', '.join(missing)}, which this machine lacks")
    printed = stage.played(said)
    differ = difflib.unified_diff(said.splitlines(), printed.splitlines(), lineterm="", n=1)
    assert "\n".join(differ) == ""
