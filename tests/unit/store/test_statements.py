"""What holds for every statement, and for whoever runs one."""

import re

import pytest

from tests.sources import modules
from tests.statements import all_statements

STAR = re.compile(r"(?:\bSELECT\b|\bRETURNING\b|,|\.|\bON \([^)]*\))\s*\*(?=\s|,|;|$)")
"""All columns of a row: not a count, nor a product."""


def test_connections_are_opened_in_one_place() -> None:
    opening = re.compile(r"^import asyncpg$.*\.(connect|create_pool)\(", re.MULTILINE | re.DOTALL)
    found = [path for path, text in modules() if opening.search(text)]
    assert found == ["store/pool.py", "store/session.py"]


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
