"""How many requests a caller may make in a minute."""

import time
from collections import Counter
from http import HTTPStatus

from server.http.answers import Details
from server.http.refusals import Refusal

WINDOW_SECONDS = 60


class Limiter:
    """Counts each caller's requests in the minute at hand; the minute that follows begins from nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._begin = time.monotonic()
        self._counts: Counter[str] = Counter()

    def count(self, caller: str) -> None:
        """Count a request; raises a `Refusal` where the caller has used up the minute."""
        left = self._begin + WINDOW_SECONDS - time.monotonic()
        if left <= 0:
            self._begin, left = time.monotonic(), float(WINDOW_SECONDS)
            self._counts.clear()
        if self._counts[caller] >= self._limit:
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too_many_requests",
                f"more than {self._limit} requests in a minute: slow down",
                details=Details(retry_after_seconds=int(left) + 1),
            )
        self._counts[caller] += 1

    def discount(self, caller: str) -> None:
        """Take a request back that was counted."""
        self._counts[caller] = max(0, self._counts[caller] - 1)
