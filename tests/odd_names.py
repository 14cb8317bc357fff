"""Names of folders that some program on the way reads as something else."""

import os

ALLOWED = (
    "é",
    "🏁",
    "a,b",
    "a\\b",
    "a\\",
    "a:b",
    "a b",
    " a ",
    "#a",
    "a!b",
    "a!",
    "a'b",
    'a"b',
    "a%41b",
    "a=b",
    "-a",
    "$HOME",
    "`id`",
    "${env:HOME}",
    "a*?[b]",
    "a;b&c|d",
    "a\u202eb",
    "~",
)
"""Names of a home in which the servers run."""

EVERYTHING = "-" + "".join(ALLOWED)
"""All that is allowed in one name."""

REFUSED = ("a\nb", "a\rb", "a\tb", "a\x1b[31mb", "a\x7fb", "a\x85b", os.fsdecode(b"a\xe9b"))
"""Names of a home that is refused."""
