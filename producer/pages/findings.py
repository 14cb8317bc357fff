"""What a parser noticed and did not mend: in go observations, out come at most `MAX_FINDINGS` findings.

`Code` lists every finding there is.
"""

from enum import Enum

from producer.pages.text import folded
from schemas.events import MAX_FINDINGS, Finding

_MAX_TEXT = 200


class Code(Enum):
    """Every finding there is: its code is the name in lower case, its value says what it means."""

    # of any page
    UNREADABLE_VALUE = "a field is written in a way that can't be read, or is out of bounds: it is null"
    TEXT_TOO_LONG = "a text is longer than its field may be: it is null"
    TITLE_DISAGREES = "the page's title and its content name different moments; the content counts"
    TOO_MANY_FINDINGS = "there were more findings than one observation may carry"
    # of a day list
    UNREADABLE_ROW = "a row names no session that can be read: it is lost, and the list is not complete"
    DUPLICATE_SESSION = "a session has more than one row: the first counts, once"
    ROW_OF_ANOTHER_DAY = "a row's session began on another day: it is lost, and the list is not complete"
    TOTALS_MISSING = "the page lacks a total that its rows must agree with: the list is not complete"
    TOTAL_LAPS_DIFFER = "the rows' laps are not the page's total: the list is not complete"
    CLASS_LAPS_DIFFER = "a class's laps are not the page's: the list is not complete"
    CLASS_LAPS_UNREADABLE = "the laps by class can't be read: the list is not complete"
    FIRST_SESSION_DIFFERS = "the first start is not the page's: the list is not complete"
    LAST_SESSION_DIFFERS = "the last start is not the page's: the list is not complete"
    UNIQUE_DRIVERS_DIFFER = "the drivers with a name are not as many as the page says"
    UNIQUE_CLASSES_DIFFER = "the classes are not as many as the page says"
    FASTEST_LAP_DIFFERS = "the leaderboard's fastest lap is not the fastest of the rows"
    TRANSPONDER_OF_TWO_NAMES = (
        "sessions of different names have the same transponder: they count as one driver"
    )
    UNREADABLE_LEADER = "a row of the leaderboard names no session or no time: it is lost"
    TOO_MANY_CLASSES = "there are more classes than the totals may carry: the rest is lost"
    # of a session
    LAPS_FROM_TEXT = "the page holds no lap data: the laps are read from the text"
    LAP_DATA_UNREADABLE = "the lap data can't be read: the laps are read from the text"
    RACE_LAPS_AMBIGUOUS = "the page holds the laps of several cars, none of them this session's"
    UNREADABLE_LAP = "a lap has no number that can be read: it is lost"
    DUPLICATE_LAP = "a lap's number occurs more than once: the first counts"
    LAP_COUNT_DIFFERS = "the laps are not as many as the page says"
    LAP_TEXT_COUNT_DIFFERS = "the text shows more or fewer laps than the data; the data counts"
    LAP_TEXT_TIME_DIFFERS = "the text shows another time than the data; the data counts"
    LAP_TEXT_VALIDITY_DIFFERS = "the text and the data disagree on whether a lap is valid; the data counts"
    # of a month
    UNREADABLE_DAY = "a row of the month names no day, or no number of sessions: it is lost"
    # of a catalogue
    UNREADABLE_TRACK = "a row of the catalogue links no track of this site: it is lost"
    DUPLICATE_TRACK = "a track has more than one row in the catalogue: the first counts"
    CATALOGUE_SHRANK = "the catalogue has less than half of the tracks that it had: no track of it goes"

    @property
    def prevents_completeness(self) -> bool:
        """Whether a day list with this finding is not complete."""
        return self.value.endswith("the list is not complete")

    @property
    def code(self) -> str:
        """How the finding is named in events."""
        return self.name.lower()


class Findings:
    """Collects findings; what exceeds the bound is one finding more that says so."""

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self.codes: set[Code] = set()
        """Every code that was added, also of findings beyond the bound."""

    def add(self, code: Code, found: object, expected: object = None) -> None:
        """Note what was found, and what stood elsewhere or was expected."""
        self.codes.add(code)
        if len(self._found) >= MAX_FINDINGS:
            self._found[-1] = Finding(code=Code.TOO_MANY_FINDINGS.code, found=f"more than {MAX_FINDINGS - 1}")
            return
        self._found.append(
            Finding(
                code=code.code,
                found=_short(found),
                expected=None if expected is None else _short(expected),
            )
        )

    def all(self) -> tuple[Finding, ...]:
        """What was found, in the order of the page."""
        return tuple(self._found)


def _short(value: object) -> str:
    return folded(str(value)[: 2 * _MAX_TEXT])[:_MAX_TEXT]
