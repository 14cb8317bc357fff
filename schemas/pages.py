"""A fetched page as a record of the topic `pages`: a CloudEvent whose data is the page itself.

The key is the address, the value the body as it was decompressed; the headers say when it was seen, under
which status, and with which headers of the site's. Kafka compresses the records.
"""

import datetime as dt
from collections.abc import Mapping

import msgspec

from schemas.envelope import Context, Outgoing
from schemas.identity import digest

PAGE_TYPE = "page.fetched.v1"


def pack_page(
    *,
    url: str,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    observed_at: dt.datetime,
    context: Context,
) -> Outgoing:
    """The page as a record."""
    seen = observed_at.isoformat()
    texts = {
        "ce_specversion": "1.0",
        "ce_id": digest(b"\0".join((PAGE_TYPE.encode(), url.encode(), seen.encode(), body))),
        "ce_type": PAGE_TYPE,
        "ce_source": context.source,
        "ce_subject": url,
        "ce_time": seen,
        "ce_correlationid": context.correlation_id,
        "ce_causationid": context.causation_id,
        "ce_httpstatus": str(status),
        "ce_httpheaders": msgspec.json.encode(dict(headers)).decode(),
        "content-type": headers.get("content-type", "text/html"),
    }
    present = tuple((name, text.encode()) for name, text in texts.items() if text is not None)
    return Outgoing(key=url.encode(), value=body, headers=present)
