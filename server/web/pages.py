"""What every page is: a template filled, with its ETag, its headers and what the frame around it needs."""

import gzip
import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect
from litestar.template.config import TemplateConfig
from markupsafe import Markup

from schemas.scopes import Scope
from server.http.services import ApiRequest
from server.web import assets, formats, links
from server.web.assets import takes_gzip
from server.web.live_view import local_clock
from server.web.session import CSRF_FIELD, caller_of, form_cookie, form_token, secret_of
from server.web.texts import TEXTS, did

TEMPLATES = Path(__file__).with_name("templates")

HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "Vary": "Accept-Encoding, Cookie",
}
"""What every page is sent with: asked for anew each time, and nothing in it but what comes from here."""

_PACKED_FROM = 500


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """The templates, in which everything is escaped that is not said to be markup."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    cast("dict[str, Any]", environment.globals).update(
        {"t": TEXTS, "asset": assets.address_of, "link": links, "local_clock": local_clock}
    )
    environment.filters |= {
        "lap_time": formats.lap_time,
        "gap": formats.gap,
        "number": formats.number,
        "duration": formats.length,
        "clock": formats.clock,
        "long_date": formats.long_date,
        "month_name": formats.month_name,
        "reason": formats.reason,
        "with_code": formats.with_code,
        "utc": formats.utc,
    }
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))


def page(
    request: ApiRequest, template: str, *, status: HTTPStatus = HTTPStatus.OK, **view: Any
) -> Response[bytes]:
    """A page made of a template."""
    cookie = form_cookie(request)
    secret = cookie.value if cookie else secret_of(request)
    body = _rendered(request, template, secret, view)
    answer = sent(request, body, media_type=MediaType.HTML, status=status)
    if cookie:
        answer.set_cookie(cookie)
    return answer


def sent(
    request: ApiRequest,
    body: bytes,
    *,
    media_type: str,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """What was asked for; 304 without a body where the client has it already."""
    etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {**HEADERS, **(headers or {}), "ETag": etag}
    if status is HTTPStatus.OK and etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=headers, media_type=media_type)
    if len(body) >= _PACKED_FROM and takes_gzip(request):
        body, headers["Content-Encoding"] = gzip.compress(body, compresslevel=6, mtime=0), "gzip"
    return Response(body, status_code=status, headers=headers, media_type=media_type)


def go_to(path: str) -> Redirect:
    """What a form that was taken leads to, by a request of its own, so that loading it anew sends nothing."""
    return Redirect(path, status_code=303)


def _rendered(request: ApiRequest, template: str, secret: str | None, view: dict[str, Any]) -> bytes:
    engine = cast("JinjaTemplateEngine", cast("Any", request.app).template_engine)
    caller = caller_of(request)
    csrf_field = Markup('<input type="hidden" name="{}" value="{}">')
    frame = {
        "may_sign_in": caller is not None,
        "key": caller.key if caller else None,
        "csrf_input": csrf_field.format(CSRF_FIELD, form_token(request, secret)),
        "here": address_of(request),
        "user": caller.user if caller else None,
        "may_operate": bool(caller and caller.allows(Scope.operate)),
        "did": did(request.query_params),
    }
    return engine.get_template(template).render(frame | view).encode("utf-8", "replace")


def address_of(request: ApiRequest) -> str:
    """The address that was asked for, to come back to."""
    path, query = request.url.path, request.url.query
    return f"{path}?{query}" if query else path
