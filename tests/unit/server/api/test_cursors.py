"""Cursors: what a list gives, it takes."""

import uuid

import pytest

from server.api.fields import LONGEST_CURSOR, page_of, place_at
from store.finding import DriverPlace


@pytest.mark.parametrize("name", ["a" * 300, "\N{PILE OF POO}" * 300, "\x01" * 300])
def test_the_longest_name_fits(name: str) -> None:
    place = DriverPlace(1, name, uuid.uuid4())
    cursor = page_of([1, 2], 1, lambda _: place).next_cursor
    assert len(cursor or "") <= LONGEST_CURSOR
    assert place_at(cursor, DriverPlace) == place
