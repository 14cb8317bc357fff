"""The work of a command, imported when it runs."""

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType

from lapstream.cli.interrupts import importing
from schemas.errors import LapstreamError


class PackageMissing(LapstreamError):
    """A package that a command needs is not installed: it is one of an extra."""


EXTRAS = {"pyarrow": "parquet"}
"""The extras of packages that are not the embedded stack's."""


_preparing: list[Callable[[], None]] = []


class _LazyModule:
    """A module that is imported when something of it is first asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> object:
        return getattr(_imported(self._name), attribute)


def later(name: str) -> _LazyModule:
    """The module of this name, of which the type checker is told by an import of its own."""
    return _LazyModule(name)


def _imported(name: str) -> ModuleType:
    """The module; raises `PackageMissing`."""
    try:
        with importing():
            while _preparing:
                _preparing.pop()()
            return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name is None or find_spec(missing.name.partition(".")[0]):
            raise  # the package is there, and lacks a module: a mistake, which installing does not mend
        extra = EXTRAS.get(missing.name, "embedded")
        raise PackageMissing(
            f"the package '{missing.name}' is not installed, which this command needs; "
            f"install it with: pip install 'lapstream[{extra}]'"
        ) from missing


def before_work(prepare: Callable[[], None]) -> None:
    """Have this done before a command's work is imported."""
    _preparing.append(prepare)
