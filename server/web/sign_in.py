"""Signing in with an API key, and out again."""

from http import HTTPStatus
from typing import Annotated

from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect

from server.http import api_keys
from server.http.services import ApiRequest, connected
from server.web.pages import go_to, page
from server.web.session import cookie_with, cookie_without, own_path

_Next = Annotated[str, QueryParameter(name="next", max_length=1000)]
_Why = Annotated[str, QueryParameter(max_length=40)]


@get("/sign-in")
async def read_sign_in(request: ApiRequest, next_: _Next = "/", why: _Why = "") -> Response[bytes]:
    """Ask for a key."""
    return _form(request, next_, why)


@post("/sign-in")
async def sign_in(request: ApiRequest) -> Response[bytes] | Redirect:
    """Keep the key that was given in a cookie, and go on to the page that asked for it."""
    form = await request.form()
    token, back = str(form.get("token", "")).strip(), own_path(str(form.get("next", "/")))
    async with connected(request) as connection:
        key = await api_keys.find(connection, token)
    if key is None:
        return _form(request, back, "unknown_key", HTTPStatus.UNPROCESSABLE_ENTITY)
    answer = go_to(back)
    answer.set_cookie(cookie_with(request, token))
    return answer


@post("/sign-out")
async def sign_out(request: ApiRequest) -> Redirect:
    """Forget the key."""
    answer = go_to("/")
    answer.set_cookie(cookie_without(request))
    return answer


def _form(request: ApiRequest, back: str, why: str, status: HTTPStatus = HTTPStatus.OK) -> Response[bytes]:
    return page(request, "sign_in.html", status=status, back=own_path(back), why=why)
