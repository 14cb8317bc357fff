"""What the API's document says of answers beside a route's own: the refusals by their status."""

from litestar.openapi.datastructures import ResponseSpec

from server.http.answers import Failure

REFUSALS = {
    400: "The request can't be read: `details.fields` names what is wrong.",
    401: "An API key is needed, or the one that was shown is not in force.",
    403: "The API key lacks the scope that is needed.",
    404: "There is no such thing.",
    409: "It can't be done as things stand.",
    413: "The body is larger than 64 KiB.",
    422: "The request can be read, but not be carried out: `details.fields` or the code says why.",
    429: "More requests than one caller may make in a minute: `Retry-After` says when to go on.",
    500: "The request could not be served, by an internal error: the code begins with `parked_`.",
    502: "The site gave no such page: `details` has its address and what was found there.",
    503: "The database or the site is away for a while: `Retry-After` says when to ask again.",
}
"""What each status means that is no success."""


def refusals(*statuses: int) -> dict[int, ResponseSpec]:
    """The refusals that a route may answer with."""
    return {
        status: ResponseSpec(Failure, generate_examples=False, description=REFUSALS[status])
        for status in statuses
    }


def success_spec(container: object, description: str) -> ResponseSpec:
    """Another success than the route's usual one."""
    return ResponseSpec(container, generate_examples=False, description=description)
