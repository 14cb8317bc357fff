"""What a look keeps open: a server that is away is waited for once a look, not once for each group."""

import contextlib
from collections.abc import AsyncGenerator

import pytest

from ops.lag.looking import Kept


async def test_what_can_not_be_opened_is_not_tried_again_at_once() -> None:
    tried = 0

    @contextlib.asynccontextmanager
    async def opening() -> AsyncGenerator[str]:
        nonlocal tried
        tried += 1
        raise TimeoutError("no answer came in time")
        yield ""

    kept = Kept(opening)
    for _ in range(4):
        with pytest.raises(TimeoutError, match="no answer came in time"):
            await kept.get()
        await kept.drop()
    assert tried == 1
