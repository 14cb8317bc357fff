"""Which sessions are one's own: by names and transponders, and by all aliases of a person."""

from typing import Any
from uuid import UUID

import pytest

from server.web.mine_view import LONGEST, MOST, mine_among, words_of
from store.days import SessionView
from store.people import Alias, Person

PERSON = UUID(int=7)


def session(
    number: int, name: str | None, transponder: str | None, person: UUID | None = None
) -> SessionView:
    values: dict[str, Any] = dict.fromkeys(SessionView.__struct_fields__)
    values |= {
        "id": UUID(int=number),
        "driver_name": name,
        "transponder_number": transponder,
        "source_driver_id": transponder or f"practice_session_{number}",
        "person_id": person,
    }
    return SessionView(**values)


SESSIONS = (
    session(1, "Zoë Faßbender", "4455667", PERSON),
    session(2, "Unknown Driver", "7000001", PERSON),
    session(3, "Al Loaner", "4455667"),
    session(4, None, None),
)


def alias(source_driver_id: str, name: str | None, *names: str) -> Alias:
    return Alias(
        driver_id=UUID(int=0),
        source="liverc",
        source_driver_id=source_driver_id,
        driver_name=name,
        display_name=None,
        transponder_number=source_driver_id,
        sessions=1,
        names=list(names),
        last_day=None,
    )


ZOE = Person(
    id=PERSON,
    display_name=None,
    sessions=2,
    names=["Zoë Faßbender"],
    aliases=[alias("4455667", "Zoë Faßbender", "Zoë Faßbender"), alias("7000001", None)],
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("nobody", []),
        ("ZOË", [1, 2]),
        ("faßbender, zoë", [1, 2]),  # a comma parts two
        ("12 zoë faßbender", [1, 2]),
        ("7000001", [1, 2]),
        ("4455667", [1, 3]),  # lent: all that was driven with it, and nobody else's
        ("445", []),
        ("al", [3]),
        ("nobody, practice_session_4", [4]),
    ],
)
def test_words_name_sessions(text: str, found: list[int]) -> None:
    mine = mine_among(SESSIONS, [ZOE], words_of(text))
    assert sorted(one.int for one in mine) == found


def test_what_is_chosen_is_bounded() -> None:
    assert words_of(" a  b,,a b , c\0d,") == ("a b", "c d")
    assert len(words_of(",".join(map(str, range(99))))) == MOST
    assert words_of("x" * 99) == ("x" * LONGEST,)
