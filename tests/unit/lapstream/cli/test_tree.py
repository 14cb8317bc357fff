"""The tree of commands: of what was typed, the part that it can mean."""

import pytest

from lapstream.cli.tree import app, tree_for
from tests.commands import all_of

FIRST_WORDS = sorted({words.split()[0] for words in all_of()})


@pytest.mark.parametrize("first", FIRST_WORDS)
def test_a_first_word_leads_to_its_commands_alone(first: str) -> None:
    wanted = {words for words in all_of() if words.split()[0] == first}
    assert set(all_of(tree_for([first, "--json"]))) == wanted


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"], ["ingests"], ["--", "ingest"]])
def test_where_the_first_word_is_no_command_all_are_there(words: list[str]) -> None:
    assert tree_for(words) is app
