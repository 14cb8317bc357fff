"""The alerts: Prometheus takes them, each fires when it should and not else, and each says what to do."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.prometheus import RULES, program
from tests.sources import ROOT
from tests.unit.deploy.names import declared, named
from tests.unit.test_docs import section

TESTS = sorted((RULES.parent / "tests").glob("*.yml"))


def alerts() -> dict[str, Any]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def expected() -> list[Any]:
    """What the tests on file expect, of one alert at one moment each."""
    scenes = [scene for file in TESTS for scene in yaml.safe_load(file.read_text())["tests"]]
    return [one for scene in scenes for one in scene["alert_rule_test"]]


def test_each_alert_fires_when_it_should() -> None:
    done = subprocess.run(
        [program("promtool"), "test", "rules", *TESTS],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_test_that_fires_it_and_one_that_does_not() -> None:
    assert {one["alertname"] for one in expected() if one["exp_alerts"]} == alerts().keys()
    assert {one["alertname"] for one in expected() if not one["exp_alerts"]} == alerts().keys()


@pytest.mark.parametrize("name", alerts())
def test_each_alert_says_how_bad_it_is_and_what_to_do(name: str) -> None:
    rule = alerts()[name]
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks.md#{name.lower()}"


def test_the_runbooks_are_those_of_the_alerts() -> None:
    page = (ROOT / "docs" / "runbooks.md").read_text()
    headings = re.findall(r"^## (Lapstream\w+)$", page, re.MULTILINE)
    assert sorted(headings) == sorted(alerts())
    for name in headings:
        text = section(page, name)
        assert [part for part in PARTS if f"**{part}**" not in text] == [], name


PARTS = ("Means", "See", "Do", "Over")
"""What stands in each runbook."""


def test_alerts_use_only_metrics_that_there_are() -> None:
    used = {name for rule in alerts().values() for name in named(rule["expr"])}
    assert used - declared() == set()
