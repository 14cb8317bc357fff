"""All vectors as they are stated, and the file that they are written to by `lapstream schemas`."""

import msgspec

from schemas.conformance.envelopes import vectors_of_envelopes
from schemas.conformance.events import vectors_of_events


def file() -> str:
    """The vectors as they stand in their file: JSON Lines."""
    vectors = (*vectors_of_events(), *vectors_of_envelopes())
    return "".join(f"{msgspec.json.encode(vector).decode()}\n" for vector in vectors)
