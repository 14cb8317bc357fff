"""How names are made comparable."""

import pytest

from projections.names import normalize_name


@pytest.mark.parametrize(
    ("name", "normalized"),
    [
        ("Conor Merrigan", "conor merrigan"),
        ("MERRIGAN, Conor", "conor merrigan"),
        ("12 Conor Merrigan", "conor merrigan"),
        ("#7. Conor Merrigan", "conor merrigan"),
        ("Smith & Sons RC Raceway Inc.", "and smith sons"),
        ("Team O'Brien", "obrien"),
        ("Жан-Поль", "жанполь"),
        ("  two   spaces ", "spaces two"),
        ("42", "42"),
        ("RC Club", ""),
    ],
)
def test_spellings_of_a_name_become_one(name: str, normalized: str) -> None:
    assert normalize_name(name) == normalized
