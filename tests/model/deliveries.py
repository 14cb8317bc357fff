"""How a history arrives: in any order, with repetitions, cut into batches anyhow; and how many are tried."""

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from msgspec import Struct

from schemas.envelope import Received
from tests.model.histories import HISTORIES

VARIABLE = "HYPOTHESIS_EXAMPLES"
"""With this variable, so many examples are tried, and other ones each time."""


class Delivery(Struct, frozen=True):
    """The events of a history, and the batches that they arrive in."""

    events: list[Received]
    batches: list[list[Received]]


SIZES = st.sampled_from((1, 2, 3, 0))
"""Of a batch; 0 for all that is left."""


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    """A history in any order, some of it more than once, in batches of any size."""
    events = draw(HISTORIES)
    again = draw(st.lists(st.sampled_from(events), max_size=3))
    return Delivery(events, draw(batches(events + again)))


@st.composite
def batches(draw: st.DrawFn, events: list[Received]) -> list[list[Received]]:
    """These events in any order, in batches of any size."""
    left = draw(st.permutations(events))
    cut: list[list[Received]] = []
    while left:
        size = min(draw(SIZES) or len(left), len(left))
        cut.append(left[:size])
        left = left[size:]
    return cut


def trying(examples: int) -> Any:
    """Hypothesis' settings: so many examples, the same each time, unless the environment asks for more."""
    asked = os.environ.get(VARIABLE)
    return settings(
        max_examples=int(asked or examples),
        derandomize=asked is None,
        database=None,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
        ],
        print_blob=True,
    )
