"""Events on lines, held against the contract: what a reader would refuse, with its place."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from ops.events.lines import NumberedLine
from schemas.contract.problems import Problem, checked


class LineReport(Struct, frozen=True, kw_only=True):
    """What a reader makes of a line."""

    line: int
    verdict: Literal["valid", "invalid", "ignored"]
    type: str | None
    problems: list[Problem]


class ValidationSummary(Struct, frozen=True, kw_only=True):
    """How many events there were, by what a reader makes of them."""

    events: int
    valid: int
    invalid: int
    ignored: int

    def __str__(self) -> str:
        return f"{self.events} events: {self.valid} valid, {self.invalid} invalid, {self.ignored} ignored"


def validated(lines: Iterable[NumberedLine]) -> Iterator[LineReport]:
    """Each line, checked by itself."""
    for number, text in lines:
        found = checked(text)
        yield LineReport(line=number, verdict=found.verdict, type=found.type, problems=found.problems)


def summary(reports: Iterable[LineReport]) -> ValidationSummary:
    """How many of each there are."""
    counts = Counter(report.verdict for report in reports)
    return ValidationSummary(
        events=counts.total(),
        valid=counts["valid"],
        invalid=counts["invalid"],
        ignored=counts["ignored"],
    )
