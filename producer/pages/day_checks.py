"""Whether a day list's rows agree with the totals that the page itself states.

In: sessions and totals. Out: findings, of which some say that the list is not complete. A session counts
once, however many rows it has. The track time is no check: the page rounds it.
"""

from collections import Counter

from producer.pages.findings import Code, Findings
from schemas.events import DayStats, LeaderboardEntry, ListedSession

UNKNOWN_DRIVER = "Unknown Driver"
"""The site's name of a driver whom it does not know, and does not count among the drivers."""


def compare(sessions: list[ListedSession], stats: DayStats | None, findings: Findings) -> None:
    """Note every disagreement, and every total that is not there to agree with."""
    if stats is None:
        findings.add(Code.TOTALS_MISSING, "no table of totals")
        return
    _compare_laps(sessions, stats, findings)
    _compare_classes(sessions, stats, findings)
    _compare_starts(sessions, stats, findings)
    _compare_uniques(sessions, stats, findings)
    _compare_fastest(sessions, stats.leaderboard, findings)


def compare_names(sessions: list[ListedSession], findings: Findings) -> None:
    """Note each transponder that sessions of several names have, upper or lower case apart."""
    names: dict[str, set[str]] = {}
    for session in sessions:
        transponder, name = session.transponder_number, session.driver_name
        if transponder and name and name != UNKNOWN_DRIVER:
            names.setdefault(transponder, set()).add(name)
    for transponder, found in names.items():
        if len(found) > 1 and len({name.casefold() for name in found}) > 1:
            findings.add(Code.TRANSPONDER_OF_TWO_NAMES, f"{transponder}: {', '.join(sorted(found))}")


def _compare_laps(sessions: list[ListedSession], stats: DayStats, findings: Findings) -> None:
    if stats.total_laps is None:
        findings.add(Code.TOTALS_MISSING, "no total of laps")
        return
    counts = [session.lap_count for session in sessions if session.lap_count is not None]
    unknown = len(sessions) - len(counts)
    if unknown:
        findings.add(Code.TOTAL_LAPS_DIFFER, f"{unknown} rows without laps", stats.total_laps)
    elif sum(counts) != stats.total_laps:
        findings.add(Code.TOTAL_LAPS_DIFFER, sum(counts), stats.total_laps)


def _compare_classes(sessions: list[ListedSession], stats: DayStats, findings: Findings) -> None:
    """Classes without laps may be left out of the chart; a page without a chart is not compared."""
    if not stats.laps_by_class:
        return
    stated, driven = Counter[str | None](), Counter[str | None]()
    for each in stats.laps_by_class:
        stated[each.class_name] += each.laps
    for session in sessions:
        driven[session.class_name] += session.lap_count or 0
    for name in stated | driven:
        if stated[name] != driven[name]:
            findings.add(Code.CLASS_LAPS_DIFFER, f"{name}: {driven[name]}", stated[name])


def _compare_starts(sessions: list[ListedSession], stats: DayStats, findings: Findings) -> None:
    starts = [session.start_time for session in sessions if session.start_time is not None]
    if len(starts) < len(sessions):
        findings.add(Code.FIRST_SESSION_DIFFERS, f"{len(sessions) - len(starts)} rows without a start")
    first, last = (min(starts).time(), max(starts).time()) if starts else (None, None)
    for code, found, stated in (
        (Code.FIRST_SESSION_DIFFERS, first, stats.time_range_start),
        (Code.LAST_SESSION_DIFFERS, last, stats.time_range_end),
    ):
        if stated is None and found is not None:
            findings.add(Code.TOTALS_MISSING, "no first or last session")
        elif found != stated:
            findings.add(code, found or "no session", stated)


def _compare_uniques(sessions: list[ListedSession], stats: DayStats, findings: Findings) -> None:
    drivers = {session.driver_name for session in sessions} - {None, UNKNOWN_DRIVER}
    classes = {session.class_name for session in sessions} - {None}
    if stats.unique_drivers is not None and stats.unique_drivers != len(drivers):
        findings.add(Code.UNIQUE_DRIVERS_DIFFER, len(drivers), stats.unique_drivers)
    if stats.unique_classes is not None and stats.unique_classes != len(classes):
        findings.add(Code.UNIQUE_CLASSES_DIFFER, len(classes), stats.unique_classes)


def _compare_fastest(
    sessions: list[ListedSession], leaderboard: tuple[LeaderboardEntry, ...], findings: Findings
) -> None:
    """Each leader's time against the fastest of his class; of an entry without class, against all."""
    fastest: dict[str | None, float] = {}
    for session in sessions:
        lap, name = session.fastest_lap, session.class_name
        if lap is not None and lap <= fastest.get(name, lap):
            fastest[name] = lap
    if fastest:
        fastest[None] = min(fastest.values())
    for entry in leaderboard:
        found = fastest.get(entry.class_name)
        if found != entry.fastest_lap:
            name = entry.class_name or "overall"
            findings.add(Code.FASTEST_LAP_DIFFERS, f"{name}: {found}", entry.fastest_lap)
