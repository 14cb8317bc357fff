"""Which form of an answer a request would rather have, by its `Accept`."""

from typing import Any

from litestar import Request

JSON = "application/json"


def prefers(request: Request[Any, Any, Any], media_type: str) -> bool:
    """Whether a request would rather have this than JSON; an `Accept` that can't be read says nothing."""
    try:
        return request.accept.best_match([JSON, media_type]) == media_type
    except (ValueError, OverflowError):
        return False
