"""The names of our top-level packages are ours alone."""

from importlib.metadata import packages_distributions

import pytest

from tests.sources import PACKAGES


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_installed_distribution_ships_one_of_our_packages(name: str) -> None:
    assert set(packages_distributions().get(name, ["lapstream"])) == {"lapstream"}
