"""Every answer that is no success: an error goes in, the true status with its code and facts comes out."""

from http import HTTPStatus
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from laps.people import NotSet, SeveralNames
from ops.backfill.views import BackfillEnded
from producer.errors import FetchError, SiteBackingOff
from producer.obtain import Unobtainable
from producer.pages.errors import PageError
from runs.changes import NothingFailed, RunNotFound, RunStillRunning
from schemas.errors import LapstreamError
from schemas.expected import in_words
from server.http.accepting import JSON, prefers
from server.http.answers import Details, Error, Failure, FieldFault, Problem, Source
from server.http.idempotency import KeyOfAnotherRequest
from store.people import BlankDriver, TooFewAliases, TooManyAliases
from store.pool import TRANSIENT

PROBLEM_JSON = "application/problem+json"

DATABASE_RETRY_SECONDS = 5
SITE_RETRY_SECONDS = 60

log = structlog.get_logger("lapstream.api")


class Refusal(LapstreamError):
    """An answer that is no success, as it will be told."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        *,
        source: Source = "request",
        details: Details | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers: dict[str, str] = {}
        self.error = Error(code=code, message=message, details=details or Details(), source=source)

    @classmethod
    def of_field(cls, status: HTTPStatus, code: str, fault: FieldFault) -> "Refusal":
        """One field of the request is at fault."""
        return cls(status, code, _told(fault), details=Details(fields=[fault]))

    @classmethod
    def not_found(cls, message: str) -> "Refusal":
        """There is nothing of that name."""
        return cls(HTTPStatus.NOT_FOUND, "not_found", message)


_KNOWN: dict[type[LapstreamError], tuple[HTTPStatus, str]] = {
    RunNotFound: (HTTPStatus.NOT_FOUND, "run_not_found"),
    RunStillRunning: (HTTPStatus.CONFLICT, "run_still_running"),
    NothingFailed: (HTTPStatus.CONFLICT, "nothing_failed"),
    BackfillEnded: (HTTPStatus.CONFLICT, "backfill_ended"),
    NotSet: (HTTPStatus.NOT_FOUND, "alias_not_set"),
    BlankDriver: (HTTPStatus.UNPROCESSABLE_ENTITY, "blank_driver"),
    SeveralNames: (HTTPStatus.CONFLICT, "several_names"),
    TooFewAliases: (HTTPStatus.UNPROCESSABLE_ENTITY, "too_few_aliases"),
    TooManyAliases: (HTTPStatus.CONFLICT, "too_many_aliases"),
    KeyOfAnotherRequest: (HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
}

_HTTP_CODES = {
    HTTPStatus.BAD_REQUEST: "invalid_request",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body_too_large",
}


def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Failure | Problem]:
    """The answer to a request that met an error, for programs."""
    refusal = refusal_of(request, error)
    as_problem = prefers(request, PROBLEM_JSON)
    return Response(
        _problem(refusal) if as_problem else Failure(success=False, error=refusal.error),
        status_code=refusal.status,
        headers=_headers(refusal),
        media_type=PROBLEM_JSON if as_problem else JSON,
    )


def refusal_of(request: Request[Any, Any, Any], error: Exception) -> Refusal:
    """What an error of a request is told as; an internal one is logged with its traceback."""
    refusal = _refusal(error)
    if refusal is not error and refusal.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("api_fault", path=request.scope["path"], exc_info=error)
    return refusal


def failure_of(error: LapstreamError) -> Failure:
    """The body of the answer to a request that met this error."""
    return Failure(success=False, error=_refusal(error).error)


def _problem(refusal: Refusal) -> Problem:
    error = refusal.error
    return Problem(
        type=f"urn:lapstream:problem:{error.code}",
        title=refusal.status.phrase,
        status=refusal.status,
        detail=error.message,
        code=error.code,
        details=error.details,
        source=error.source,
    )


def _headers(refusal: Refusal) -> dict[str, str]:
    headers = dict(refusal.headers)
    if (seconds := refusal.error.details.retry_after_seconds) is not None:
        headers["Retry-After"] = str(seconds)
    if refusal.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="lapstream"'
    return headers


def _refusal(error: Exception) -> Refusal:
    """What an error is told as."""
    match error:
        case Refusal():
            refusal = error
        case HTTPException():
            refusal = _of_framework(error)
        case Unobtainable():
            refusal = _of_site(error.error)
        case FetchError() | PageError():
            refusal = _of_site(error)
        case LapstreamError() if type(error) in _KNOWN:
            refusal = Refusal(*_KNOWN[type(error)], str(error))
        case _ if isinstance(error, TRANSIENT):
            refusal = _of_database(error)
        case _:
            refusal = _internal_error()
    return refusal


def _internal_error() -> Refusal:
    return Refusal(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "internal error: the X-Request-Id of this answer finds it in the log",
        source="service",
    )


def _of_site(error: FetchError | PageError) -> Refusal:
    """The site gave no such page, or is left alone at present."""
    retry = getattr(error, "retry_after", None)
    backing_off = isinstance(error, SiteBackingOff)
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE if backing_off else HTTPStatus.BAD_GATEWAY,
        error.code,
        str(error),
        source="site",
        details=Details(
            url=error.url,
            found=error.found,
            retry_after_seconds=round(retry or SITE_RETRY_SECONDS) if backing_off or retry else None,
        ),
    )


def _of_database(error: Exception) -> Refusal:
    log.warning("api_database_away", error=repr(error))
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "database_unavailable",
        "the database does not answer at present; nothing was lost: ask again",
        source="service",
        details=Details(retry_after_seconds=DATABASE_RETRY_SECONDS),
    )


def _of_framework(error: HTTPException) -> Refusal:
    status = HTTPStatus(error.status_code)
    extra: list[dict[str, Any]] = error.extra if isinstance(error.extra, list) else []
    faults = [_field_fault(fault) for fault in extra]
    message = "; ".join(map(_told, faults)) or error.detail
    refusal = Refusal(
        status,
        _HTTP_CODES.get(status, "refused"),
        message,
        details=Details(fields=faults or None),
    )
    refusal.headers.update(error.headers or {})
    return refusal


def _told(fault: FieldFault) -> str:
    return f"{fault.field or f'the {fault.source}'}: {fault.message}"


def _field_fault(fault: dict[str, Any]) -> FieldFault:
    """The framework's word on a parameter, under the name that the request has it by."""
    source = fault.get("source", "query")
    if source == "body":  # what is wrong in a body, its decoder says
        return FieldFault(field=None, message="is missing: JSON is expected", source="body")
    name = str(fault.get("key", "")).rstrip("_")
    return FieldFault(
        field=name.replace("_", "-").title() if source == "header" else name,
        message=in_words(str(fault.get("message", ""))),
        source=source,
    )
