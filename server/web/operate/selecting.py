"""Which parked records a page is about: the filters of its address, or of its form, as one selection."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from ops.parked.queries import ParkedState, RecordPlace, Selection
from schemas import fields as f
from server.api.fields import check_moments
from server.http.refusals import Refusal

_NAME = r"^[A-Za-z0-9._-]+\Z"
_PLACE = r"^[A-Za-z0-9._-]+/[0-9]{1,9}/[0-9]{1,18}\Z"

Name = Annotated[str, Meta(max_length=249, pattern=_NAME)]


class Filters(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The filters, as an address has them; `at` is a place as topic/partition/offset."""

    group: Name | None = None
    code: Name | None = None
    topic: Name | None = None
    source: Annotated[str, Meta(pattern=rf"^{f.SOURCE_NAME}\Z")] | None = None
    at: Annotated[str, Meta(max_length=300, pattern=_PLACE)] | None = None
    until: f.Instant | None = None
    state: ParkedState = ParkedState.parked

    @property
    def place(self) -> RecordPlace | None:
        """The one record that is meant."""
        if self.at is None:
            return None
        topic, partition, offset = self.at.split("/")
        return RecordPlace(topic, int(partition), int(offset))

    @property
    def selection(self) -> Selection:
        """The records that these filters let through."""
        return Selection(
            group=self.group,
            code=self.code,
            topic=self.topic,
            source=self.source,
            place=self.place,
            until=self.until,
            state=self.state,
        )

    @property
    def pairs(self) -> dict[str, str]:
        """The filters that are set, as fields of a form."""
        return {name: str(value) for name, value in msgspec.to_builtins(self).items()}

    def address(self, path: str) -> str:
        """A page's address with these filters."""
        return f"{path}?{urlencode(self.pairs)}" if self.pairs else path


def filters_of(values: Mapping[str, Any]) -> Filters:
    """The filters of an address or a form, empty ones left out; raises a `Refusal` for one that is none."""
    given = {name: str(values[name]) for name in Filters.__struct_fields__ if values.get(name)}
    try:
        found = msgspec.convert(given, Filters, strict=False)
        check_moments([found.until])
    except (msgspec.ValidationError, OverflowError) as error:
        raise Refusal(
            HTTPStatus.BAD_REQUEST, "invalid_request", f"no such filter of parked records: {error}"
        ) from error
    return found
