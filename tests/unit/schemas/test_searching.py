import pytest

from schemas.searching import searched, words_of


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("Umeå", "umea"),
        ("UMEA\u030a", "Umeå"),
        ("Smørrebrød Ringen", "smorrebrod"),
        ("Złota Pętla", "zlota PETLA"),
        ("Straße", "STRASSE"),
        ("Æbleskiver", "aebleskiver"),
        ("Вымышленный", "вымышленныи"),
        ("架空サーキット", "架空"),
        ("ﾊﾔｼ", "ハヤシ"),
        ("مضمار الخيال", "الخيال"),
    ],
)
def test_accents_and_case_make_no_difference(stored: str, typed: str) -> None:
    assert all(word in searched(stored) for word in words_of(typed))


def test_nothing_has_no_words() -> None:
    assert words_of("  \t") == []
