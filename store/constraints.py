"""Constraints that stand for rules: a write that one forbids is told as the rule's own error.

Nobody looks first whether the rule allows a write: between the look and the write, others write, too.
"""

import contextlib
from collections.abc import Generator

import asyncpg

from schemas.errors import LapstreamError


@contextlib.contextmanager
def forbidden_by(constraint: str, error: LapstreamError) -> Generator[None]:
    """Raise this error where the unique constraint or index of this name forbids a write in the block."""
    try:
        yield
    except asyncpg.UniqueViolationError as violation:
        if getattr(violation, "constraint_name", None) != constraint:
            raise
        raise error from violation
