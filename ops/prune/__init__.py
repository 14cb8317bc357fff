"""Retention: deleting what ended long ago, and what nothing needs any more."""
