"""How drivers' names are made comparable, as timing systems of this field do it."""

import re
import unicodedata

UNKNOWN_DRIVER = "Unknown Driver"
"""What the site writes for a driver that it can't name."""

_DROPPED_WORDS = frozenset({"rc", "raceway", "club", "inc", "team"})
_QUALIFYING_NUMBER = re.compile(r"^\s*#?\d+[.):-]?\s+(?=\S)")


def normalize_name(name: str) -> str:
    """The name in lower case without a leading qualifying number, punctuation and club words, tokens sorted.

    `&` becomes `and`. Two spellings of a name that people hold for the same give the same text.
    """
    text = unicodedata.normalize("NFC", _QUALIFYING_NUMBER.sub("", name)).lower().replace("&", " and ")
    text = "".join(c for c in text if unicodedata.category(c)[0] not in "PS")
    return " ".join(sorted(token for token in text.split() if token not in _DROPPED_WORDS))
