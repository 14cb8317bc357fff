"""The parameters that several pages share, beside those of the API."""

from typing import Annotated
from uuid import UUID

from litestar.params import PathParameter, QueryParameter

Row = Annotated[UUID, PathParameter(description="The id of a row.")]
Words = Annotated[str, QueryParameter(max_length=100, description="What is searched for, or filled in.")]
