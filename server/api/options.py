"""`OPTIONS`, where two handlers share a path: the framework would name only one of their methods."""

from http import HTTPStatus

from litestar import HttpMethod, Response, route
from litestar.handlers import HTTPRouteHandler


def options_of(path: str, *methods: str) -> HTTPRouteHandler:
    """What names the methods of a path; it stands before the path's other handlers in the list of routes."""
    allow = ", ".join(sorted([*methods, "OPTIONS"]))

    @route(path, http_method=HttpMethod.OPTIONS, include_in_schema=False)
    async def options() -> Response[None]:
        return Response(None, status_code=HTTPStatus.NO_CONTENT, headers={"Allow": allow})

    return options
