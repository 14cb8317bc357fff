"""Which sessions of a day are the user's own: pure, so that it is tested without a server."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from projections.names import normalize_name
from store.days import SessionView
from store.people import Person

MOST = 10
"""Names and transponders that are chosen at a time."""

LONGEST = 60


def words_of(text: str) -> tuple[str, ...]:
    """The names and transponders of a list with commas, each once; what is too long or too many is cut."""
    words = (" ".join(word.replace("\0", " ").split())[:LONGEST] for word in text.split(","))
    return tuple(dict.fromkeys(filter(None, words)))[:MOST]


def mine_among(
    sessions: Iterable[SessionView], people: Iterable[Person], words: Sequence[str]
) -> frozenset[UUID]:
    """The ids of the sessions of whom these words name: by a transponder or an id, a name or a part of one.

    A person who is named by one alias is named by all.
    """
    if not words:
        return frozenset()
    named = {person.id for person in people if any(_is_person(person, word) for word in words)}
    return frozenset(
        one.id
        for one in sessions
        if one.person_id in named
        or any(
            _is(word, (one.driver_name,), (one.transponder_number, one.source_driver_id)) for word in words
        )
    )


def _is_person(person: Person, word: str) -> bool:
    numbers = [alias.source_driver_id for alias in person.aliases if alias.driver_name is None]
    return _is(word, person.names, numbers)


def _is(word: str, names: Iterable[str | None], numbers: Iterable[str | None]) -> bool:
    if word in numbers:
        return True
    known = [name for name in names if name]
    return not word.isdigit() and any(
        word.casefold() in name.casefold() or normalize_name(word) == normalize_name(name) for name in known
    )
