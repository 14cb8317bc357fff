"""The setting LAPSTREAM_LOG_TOPICS: which topics are the event log, and for which sources each may speak.

A text such as `practice-days=liverc,mylaps-days=mylaps+orbits` becomes topics; the first one counts most.
"""

import re
from collections.abc import Iterable

from producer.site import SOURCE
from schemas.fields import SOURCE_NAME
from schemas.topics import ANY_SOURCE, DAYS, LogTopic, Topics

FORM = "topic=source+source,topic=source"
LONGEST = 180
"""Characters of a topic's name; the prefix, and what Kafka puts behind for itself, come on top."""

_ENTRY = re.compile(
    rf"(?P<topic>[A-Za-z0-9._-]{{1,{LONGEST}}})=(?P<sources>(?:{SOURCE_NAME}|\*)(?:\+(?:{SOURCE_NAME}|\*))*)"
)
_TAKEN = {spec.name for spec in Topics().specs()} - {DAYS} | {".", ".."}


class NotTopics(ValueError):
    """A text that names no topics of the event log, or not ours."""


def log_topics(text: str) -> tuple[LogTopic, ...]:
    """The topics that a text names; raises `NotTopics`."""
    topics = tuple(_topic(entry.strip()) for entry in text.split(",") if entry.strip())
    names = [one.name for one in topics]
    if twice := {name for name in names if names.count(name) > 1}:
        raise NotTopics(f"{', '.join(sorted(twice))} stands twice")
    if not any(one.name == DAYS and one.speaks_for(SOURCE) for one in topics):
        raise NotTopics(f"{DAYS} must be there, and speak for {SOURCE}: the fetchers publish to it")
    return topics


def _topic(entry: str) -> LogTopic:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise NotTopics(f"{entry!r} is not of the form {FORM}, with {ANY_SOURCE} for every source")
    if found["topic"] in _TAKEN:
        raise NotTopics(f"{found['topic']} is no topic of the event log")
    return LogTopic(found["topic"], tuple(found["sources"].split("+")))


def as_text(topics: Iterable[LogTopic]) -> str:
    """The text that `log_topics` reads as these."""
    return ",".join(f"{one.name}={'+'.join(one.sources)}" for one in topics)
