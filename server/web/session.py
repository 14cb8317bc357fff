"""Signing in: an API key in a cookie that no script can read; and what protects forms from other sites.

The cookie holds the key's token itself, and each request looks the key up, as the API does: one that is
revoked ends at once, and nothing is kept on the server. Only pages read the cookie; the API never does.
"""

import hashlib
import hmac
import re
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlsplit

from litestar.datastructures import Cookie, FormMultiDict

from server.http.refusals import Refusal
from server.http.services import ApiRequest

COOKIE = "lapstream_session"
SESSION_SECONDS = 12 * 60 * 60
"""How long a session lasts."""

CSRF_FIELD = "csrf"

_SAFE = ("GET", "HEAD", "OPTIONS")
_OWN_PATH = re.compile(r"/(?![/\\])[^\s\\\x00-\x1f]{0,1000}")


def token_of(request: ApiRequest) -> str | None:
    """The token that a browser has kept, or None."""
    return request.cookies.get(COOKIE) or None


def cookie_with(request: ApiRequest, token: str) -> Cookie:
    """The cookie that begins a session."""
    return _cookie(request, token, SESSION_SECONDS)


def cookie_without(request: ApiRequest) -> Cookie:
    """The cookie that ends a session."""
    return _cookie(request, "", 0)


def _cookie(request: ApiRequest, value: str, seconds: int) -> Cookie:
    same_site: Literal["lax"] = "lax"
    return Cookie(
        key=COOKIE,
        value=value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite=same_site,
        secure=request.base_url.scheme == "https",
    )


def csrf_of(token: str | None) -> str:
    """What a form of this session carries: nobody can make it who can't read the cookie."""
    return hmac.new((token or "").encode(), b"lapstream form", hashlib.sha256).hexdigest()


def own_path(address: str | None) -> str:
    """An address of these pages to go on to; for any other, the start."""
    return address if address and _OWN_PATH.fullmatch(address) else "/"


async def check_form(request: ApiRequest) -> None:
    """Raise a `Refusal` for a form that no page of ours sent."""
    if request.method in _SAFE:
        return
    form = await request.form()
    if not (_from_here(request) and _has_token(request, form)):
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            "forged_form",
            "this form did not come from a page of this session",
        )


def _from_here(request: ApiRequest) -> bool:
    """Whether the browser says that the form is of this site; one that says nothing is no browser."""
    if (fetched_by := request.headers.get("sec-fetch-site")) is not None:
        return fetched_by in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _has_token(request: ApiRequest, form: FormMultiDict) -> bool:
    """Whether the form carries the session's token; without a session there is nothing to protect."""
    token = token_of(request)
    return token is None or hmac.compare_digest(
        str(form.get(CSRF_FIELD, "")).encode(), csrf_of(token).encode()
    )
