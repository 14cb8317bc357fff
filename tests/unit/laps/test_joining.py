"""Who is joined: what is refused before anything is read."""

from typing import Any, cast

import pytest

from laps.people import join
from store.people import MOST_ALIASES, AliasKey, TooManyAliases


async def test_far_too_many_are_refused_before_the_names_of_each_are_read() -> None:
    """A form can have thousands, and each was a query."""
    keys = [AliasKey("liverc", str(number)) for number in range(MOST_ALIASES + 1)]
    with pytest.raises(TooManyAliases):
        await join(cast("Any", None), keys)
