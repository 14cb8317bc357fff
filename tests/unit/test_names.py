"""The names of our top-level packages are ours alone."""

import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2] / "pyproject.toml"
PACKAGES = tomllib.loads(PROJECT.read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_installed_distribution_ships_one_of_our_packages(name: str) -> None:
    assert set(packages_distributions().get(name, ["lapstream"])) == {"lapstream"}
