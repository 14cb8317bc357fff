"""The contract with other systems over HTTP: this installation's AsyncAPI document, and the JSON Schemas."""

from functools import cache

from litestar import Response, get
from litestar.params import FromPath

from schemas.contract import asyncapi, documents
from schemas.topics import Topics
from server.http.accepting import JSON
from server.http.refusals import Refusal
from server.http.services import ApiRequest, services_of

SCHEMA_JSON = "application/schema+json"

_SCHEMAS = {name: documents.text(schema) for name, schema in documents.schemas().items()}


@get("/asyncapi.json", include_in_schema=False)
async def read_asyncapi(request: ApiRequest) -> Response[str]:
    """Show the document that describes the topics, by the names that they have here."""
    return Response(_asyncapi(services_of(request).settings.topics), media_type=JSON)


@cache
def _asyncapi(topics: Topics) -> str:
    return documents.text(asyncapi.document(topics))


@get("/schemas/{name:str}", include_in_schema=False)
async def read_schema(name: FromPath[str]) -> Response[str]:
    """Show the JSON Schema of a type of event, or of the envelope."""
    if name not in _SCHEMAS:
        raise Refusal.not_found(f"no schema {name[:100]!r}: there are {', '.join(_SCHEMAS)}")
    return Response(_SCHEMAS[name], media_type=SCHEMA_JSON)
