"""One question to a server, from code that may or may not run in an event loop of its own.

In: a coroutine. Out: None when it went well, else what is wrong in a few words.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

ANSWER_SECONDS = 5.0


def complaint(question: Coroutine[Any, Any, None], *expected: type[Exception]) -> str | None:
    """Ask; an `expected` error, a refused connection or a silence of 5 seconds is the complaint."""
    with ThreadPoolExecutor(1) as thread:
        try:
            thread.submit(asyncio.run, asyncio.wait_for(question, ANSWER_SECONDS)).result()
        except (OSError, TimeoutError, *expected) as error:
            return f"{type(error).__name__}: {error}".rstrip(": ")
    return None
