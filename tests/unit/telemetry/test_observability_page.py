"""docs/observability.md holds what the code holds: every metric, every event of the log with its fields."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from lapstream.fleet import SHOWN
from telemetry import metrics
from tests.sources import modules
from tests.unit.test_docs import read, section

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
OF_EVERY_LINE = {"run_id", "trace_id", "exc_info"}


class Said(NamedTuple):
    """How a line of the log is written: its level, and its own fields."""

    level: str
    fields: frozenset[str]


def logged() -> dict[str, Said]:
    """Each event that the code logs, with all fields that it has anywhere."""
    found: dict[str, Said] = {}
    for _, text in modules():
        for event, said in _events(text):
            known = found.get(event, said)
            assert known.level == said.level, f"{event} has two levels"
            found[event] = Said(said.level, known.fields | said.fields)
    return found


def _events(text: str) -> Iterator[tuple[str, Said]]:
    tree = ast.parse(text)
    passing_on = dict(_passing_on(tree))
    for call in _calls(tree):
        if not isinstance(event := _first(call), ast.Constant):
            continue
        if _logs(call):
            yield str(event.value), _said(call)
        elif (name := _method(call)) in passing_on:
            yield str(event.value), passing_on[name]


def _passing_on(tree: ast.AST) -> Iterator[tuple[str, Said]]:
    """The functions that log the event which they are given, and how."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for call in _calls(function):
                if _logs(call) and isinstance(_first(call), ast.Name):
                    yield function.name, _said(call)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _first(call: ast.Call) -> ast.expr | None:
    return call.args[0] if call.args else None


def _method(call: ast.Call) -> str | None:
    return call.func.attr if isinstance(call.func, ast.Attribute) else None


def _logs(call: ast.Call) -> bool:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id == "log" and _method(call) in LEVELS


def _said(call: ast.Call) -> Said:
    names = {keyword.arg for keyword in call.keywords}
    assert None not in names, f"line {call.lineno}: fields that nobody can look up"
    level = str(_method(call)).replace("exception", "error")
    return Said(level, frozenset(str(name) for name in names) - OF_EVERY_LINE)


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables under a heading, without those that only name columns."""
    lines = re.findall(r"^\| (`.*) \|$", section(read("observability.md"), heading), re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_event_of_the_log_is_described_with_its_level_and_its_fields() -> None:
    described = {
        names_in(event)[0]: Said(level, frozenset(names_in(fields)))
        for event, fields, level, _ in rows("Events")
    }
    assert described == logged()


def test_every_metric_of_a_process_is_described() -> None:
    described = {one.name: (one.type, one.meaning) for one in metrics.DESCRIBED}
    assert described == {
        f"{one.name}_total" if one.type == "counter" else one.name: (one.type, one.documentation)
        for one in metrics.REGISTRY.collect()
        if one.name.startswith("lapstream_") and one.name not in {family.name for family in SHOWN.families}
    }
