"""The tutorial on projections, followed word by word in a copy of the tree: its tests must pass there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import Servers

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial-projection.md"
FILES = re.compile(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATCHES = re.compile(r"^git apply <<'END'\n(.*?)^END$", re.MULTILINE | re.DOTALL)


def follow(page: str, copy: Path) -> list[str]:
    """Write the page's files, and make its edits; the names of the files in Python."""
    for name, text in FILES.findall(page):
        (copy / name).write_text(text)
    for patch in PATCHES.findall(page):
        subprocess.run(["git", "apply"], input=patch.encode(), cwd=copy, check=True)
    return [name for name, _ in FILES.findall(page) if name.endswith(".py")]


@pytest.mark.slow
def test_whoever_follows_the_tutorial_has_a_projection_whose_tests_pass(
    the_servers: Servers, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "bench", "__pycache__"))
    written = follow(PAGE.read_text(), copy)
    tests = [name for name in written if name.startswith("tests")]
    servers = {
        "LAPSTREAM_TEST_KAFKA": the_servers.kafka_bootstrap,
        "LAPSTREAM_TEST_POSTGRES": the_servers.postgres_dsn,
    }
    for command in (
        ["ruff", "check", *written],
        ["ruff", "format", "--check", *written],
        ["pytest", *tests, "tests/integration/test_docs.py"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=copy,
            env=os.environ | servers,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
