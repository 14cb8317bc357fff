"""CSV instead of JSON, for requests that accept `text/csv` rather: rows with the columns of the commands.

A list is the same page of it; where there is another one, a `Link` header leads there (RFC 8288).
"""

from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import urlencode

from litestar import Response
from msgspec import Struct

from laps.csv_text import csv_lines
from server.http.accepting import prefers
from server.http.answers import Page, Success
from server.http.services import ApiRequest

CSV = "text/csv"

HandlerT = TypeVar("HandlerT", bound=Callable[..., Awaitable[Success[Any]]])


class CsvForm(NamedTuple):
    """The CSV of a route: what a row is, the rows of its data, and the page of a list that they are."""

    kind: type[Struct]
    rows_of: Callable[[Any], Iterable[Struct]]
    page_of: Callable[[Any], Page[Any]] | None


_FORMS: dict[Any, CsvForm] = {}


def or_csv(
    kind: type[Struct],
    rows_of: Callable[[Any], Iterable[Struct]],
    page_of: Callable[[Any], Page[Any]] | None = None,
) -> Callable[[HandlerT], HandlerT]:
    """Have a route answer with its rows as CSV, too."""

    def with_csv(handler: HandlerT) -> HandlerT:
        @wraps(handler)
        async def answer(**given: Any) -> Any:  # noqa: ANN401 - what the framework takes
            found = await handler(**given)
            request = cast("ApiRequest", given["request"])
            return _answer(request, form, found.data) if prefers(request, CSV) else found

        form = _FORMS[answer] = CsvForm(kind, rows_of, page_of)
        return cast("HandlerT", answer)

    return with_csv


def form_of(handler: object) -> CsvForm | None:
    """The CSV of a route; None for one that has none."""
    return _FORMS.get(handler)


def _answer(request: ApiRequest, form: CsvForm, data: object) -> Response[bytes]:
    body = "".join(csv_lines(form.kind, form.rows_of(data))).encode("utf-8", "replace")
    headers = {"Vary": "Accept"}
    if form.page_of and (cursor := form.page_of(data).next_cursor):
        headers["Link"] = f'<{_next(request, cursor)}>; rel="next"'
    return Response(body, media_type=CSV, headers=headers)


def _next(request: ApiRequest, cursor: str) -> str:
    """The address of the page behind this one."""
    asked = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
    return f"{request.url.path}?{urlencode([*asked, ('cursor', cursor)])}"
