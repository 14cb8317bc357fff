"""The files beside the pages: each under a name with a digest of its bytes, so that it may be kept."""

import gzip
import hashlib
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec import Struct

from server.http.refusals import Refusal

FOLDER = Path(__file__).with_name("static")
PATH = "/static"

_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Asset(Struct, frozen=True, kw_only=True):
    """A file as it is served."""

    content_type: str
    body: bytes
    packed: bytes


def _served_name(file: Path) -> str:
    return f"{file.stem}.{hashlib.sha256(file.read_bytes()).hexdigest()[:12]}{file.suffix}"


def _asset(file: Path) -> Asset:
    body = file.read_bytes()
    return Asset(content_type=_TYPES[file.suffix], body=body, packed=gzip.compress(body, mtime=0))


NAMES = {file.name: _served_name(file) for file in sorted(FOLDER.iterdir())}
"""The name under which each file is served."""

ASSETS = {NAMES[file.name]: _asset(file) for file in sorted(FOLDER.iterdir())}
"""The files by those names."""


def address_of(name: str) -> str:
    """Where a file of the folder `static` is served; raises KeyError where there is none."""
    return f"{PATH}/{NAMES[name]}"


def takes_gzip(request: Request[Any, Any, Any]) -> bool:
    """Whether the client accepts gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


@get(f"{PATH}/{{name:str}}", include_in_schema=False)
async def read_asset(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """Serve a file, by its present name only."""
    if (asset := ASSETS.get(name)) is None:
        raise Refusal.not_found("no such file belongs to these pages")
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
    if not takes_gzip(request):
        return Response(asset.body, media_type=asset.content_type, headers=headers)
    packed = headers | {"Content-Encoding": "gzip"}
    return Response(asset.packed, media_type=asset.content_type, headers=packed)
