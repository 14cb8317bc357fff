"""Signing in: an API key in a cookie that no script can read; and what protects forms from other sites.

The cookie holds the key's token itself, and each request looks the key up, as the API does: one that is
revoked ends at once, and nothing is kept on the server. Only pages read the cookie; the API never does.
"""

import hashlib
import hmac
import re
import secrets
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import Cookie, FormMultiDict

from server.http.refusals import Refusal
from server.http.services import ApiRequest, Caller

COOKIE = "lapstream_session"
FORM_COOKIE = "lapstream_form"
"""Holds a secret of the browser of a user whom a proxy names: by it their forms are known."""

SESSION_SECONDS = 12 * 60 * 60
"""How long a session lasts."""

CSRF_FIELD = "csrf"

_SAFE = ("GET", "HEAD", "OPTIONS")
_OWN_PATH = re.compile(r"/(?![/\\])[^\s\\\x00-\x1f]{0,1000}")


def caller_of(request: Request[Any, Any, Any]) -> Caller | None:
    """Who asks; None for addresses at which that is not looked up."""
    return cast("dict[str, Any]", request.scope).get("user")


def token_of(request: ApiRequest) -> str | None:
    """The token that a browser has kept, or None."""
    return request.cookies.get(COOKIE) or None


def cookie_with(request: ApiRequest, token: str) -> Cookie:
    """The cookie that begins a session."""
    return cookie(request, COOKIE, token, SESSION_SECONDS)


def cookie_without(request: ApiRequest) -> Cookie:
    """The cookie that ends a session."""
    return cookie(request, COOKIE, "", 0)


def cookie(request: ApiRequest, name: str, value: str, seconds: int) -> Cookie:
    """A cookie of the pages, which no script can read; with 0 seconds the browser forgets it."""
    return Cookie(
        key=name,
        value=value,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.base_url.scheme == "https",
    )


def form_cookie(request: ApiRequest) -> Cookie | None:
    """The cookie that protects the forms of a user without a key, where the browser has none yet."""
    if secret_of(request) is not None or _user(request) is None:
        return None
    return cookie(request, _form_cookie_name(request), secrets.token_urlsafe(32), SESSION_SECONDS)


def _form_cookie_name(request: ApiRequest) -> str:
    """Over https one that no other host of the domain can set."""
    return f"__Host-{FORM_COOKIE}" if request.base_url.scheme == "https" else FORM_COOKIE


def secret_of(request: ApiRequest) -> str | None:
    """What only this browser and we know: the key that it is signed in with, or a user's form cookie."""
    if (token := token_of(request)) is not None:
        return token
    return request.cookies.get(_form_cookie_name(request)) or None if _user(request) else None


def _user(request: ApiRequest) -> str | None:
    """Who is signed in by a proxy."""
    caller = caller_of(request)
    return caller.user if caller else None


def csrf_of(secret: str | None, user: str | None = None) -> str:
    """What a form of a session carries: only who can read the cookie that has the secret can make it.

    With `user`, whom a proxy names, the form is that user's only.
    """
    said = b"lapstream form" if user is None else b"lapstream form of " + user.encode()
    return hmac.new((secret or "").encode(), said, hashlib.sha256).hexdigest()


def form_token(request: ApiRequest, secret: str | None) -> str:
    """What a form of this request's session carries."""
    return csrf_of(secret, _user(request) if token_of(request) is None else None)


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
    secret = secret_of(request)
    if secret is None:
        return _user(request) is None
    return hmac.compare_digest(str(form.get(CSRF_FIELD, "")).encode(), form_token(request, secret).encode())
