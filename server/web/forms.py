"""What forms share: what was entered, and their page again with what is wrong with it."""

from http import HTTPStatus
from typing import Any, TypeVar

from litestar import Response
from msgspec import Struct

from producer.site import BadAddress, checked_slug
from server.http.services import ApiRequest
from server.web.pages import page
from server.web.texts import TEXTS

LONGEST = 100
"""Characters of a field that are read."""

WantedT = TypeVar("WantedT", bound=Struct)


async def entered(request: ApiRequest, kind: type[WantedT]) -> WantedT:
    """What was entered into a form, as it was sent; `kind` has its fields, all of them texts."""
    form = await request.form()
    return kind(**{name: str(form.get(name, "")).strip()[:LONGEST] for name in kind.__struct_fields__})


def form_page(
    request: ApiRequest, template: str, wanted: Struct, faults: dict[str, str] | None = None, **view: Any
) -> Response[bytes]:
    """The page of a form, filled in; `faults` say what is wrong with it, by the names of its fields."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return page(request, template, status=status, wanted=wanted, faults=faults or {}, **view)


def faults_of_track(slug: str) -> dict[str, str]:
    """What is wrong with the track of a form."""
    try:
        checked_slug(slug)
    except BadAddress:
        return {"track_slug": TEXTS("imports.bad_track")}
    return {}
