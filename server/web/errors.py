"""Errors as pages: what happened, and what to do."""

from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import structlog
from litestar import Request, Response
from litestar.response import Redirect

from producer.site import SOURCE
from server.http.refusals import Refusal, refusal_of
from server.http.services import ApiRequest
from server.web import links
from server.web.pages import address_of, go_to, page
from server.web.session import cookie_without, own_path, token_of
from server.web.texts import TEXTS


def answer_page(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """The page for a request that met an error; who must sign in first is led there."""
    asked = cast("ApiRequest", request)
    refusal = refusal_of(asked, error)
    if refusal.status is HTTPStatus.UNAUTHORIZED:
        return _sign_in_first(asked, refusal)
    answer = page(
        asked,
        "error.html",
        status=refusal.status,
        title=TEXTS.either(f"errors.{refusal.error.code}", "errors.other"),
        message=refusal.error.message,
        advice=_advice(refusal),
        request_id=structlog.contextvars.get_contextvars().get("request_id"),
        is_ours=refusal.error.source == "service",
        to_import=_to_import(asked, refusal),
    )
    if (seconds := refusal.error.details.retry_after_seconds) is not None:
        answer.headers["Retry-After"] = str(seconds)
    return answer


def _advice(refusal: Refusal) -> str:
    return TEXTS.either(f"advice.{refusal.error.code}", f"advice.{refusal.error.source}")


def _to_import(request: ApiRequest, refusal: Refusal) -> str | None:
    """The form for an import of the track and the day that are not stored, where the site may have them."""
    slug, date = request.path_params.get("track_slug"), request.path_params.get("date")
    others = request.query_params.get("source", SOURCE) != SOURCE
    return links.new_import(slug, date) if slug and refusal.error.code == "not_found" and not others else None


def _sign_in_first(request: ApiRequest, refusal: Refusal) -> Redirect:
    """To the page for signing in, and back; a key that is in force no more is forgotten."""
    asked = {"next": _way_back(request), "why": refusal.error.code}
    answer = go_to(f"/sign-in?{urlencode(asked)}")
    if token_of(request):
        answer.set_cookie(cookie_without(request))
    return answer


def _way_back(request: ApiRequest) -> str:
    """The page to come back to: the one that was asked for, or the one that has the form."""
    if request.method == "GET":
        return address_of(request)
    try:
        page_of_form = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    return own_path(page_of_form._replace(scheme="", netloc="", fragment="").geturl())


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether an error is best told as a page: to a browser, at an address that is not the API's."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")
