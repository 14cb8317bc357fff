"""What holds for every statement, and for whoever runs one."""

import re

import pytest

from tests.statements import all_statements
from tests.unit.test_docs import ROOT

PACKAGES = ("broker", "consumers", "lapstream", "ops", "outbox", "producer", "runs", "runtime", "store")

STAR = re.compile(r"(?:\bSELECT\b|\bRETURNING\b|,|\.|\bON \([^)]*\))\s*\*(?=\s|,|;|$)")
"""All columns of a row: not a count, nor a product."""


def test_connections_are_opened_in_one_place() -> None:
    opening = re.compile(r"^import asyncpg$.*\.(connect|create_pool)\(", re.MULTILINE | re.DOTALL)
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    found = sorted(path.name for path in sources if opening.search(path.read_text()))
    assert found == ["pool.py", "session.py"]


def test_no_setting_is_set_beyond_a_transaction() -> None:
    """A connection that goes back to its pool keeps its settings: nothing resets them."""
    lasting = re.compile(r"set_config\([^()]*, false\)")
    assert {name for name, text in all_statements().items() if lasting.search(text)} == {
        "prepare_session",
        "use_search_path",
    }


@pytest.mark.parametrize("name", sorted(all_statements()))
def test_a_statement_names_its_columns(name: str) -> None:
    """A newer release may have added a column, which this one does not know."""
    code = re.sub(r"--.*", "", all_statements()[name])
    assert not STAR.search(code), f"{name} reads all columns, whichever they are"
