"""The checklist of an installation, with a practice day of its own, which its roles import.

The points are in `installation`, `day` and `projected`, in this order. `lapstream.sample_release` goes
through them with the sample site's day.
"""

from ops.release.day import DAY_POINTS, Day, DayPoints, Import
from ops.release.installation import InstallationPoints
from ops.release.points import Checklist
from ops.release.projected import LAG_SECONDS, judge_projected
from runtime.settings import Settings


async def judge_own_day(
    checklist: Checklist,
    settings: Settings,
    day: Day,
    import_day: Import,
    *,
    lag_seconds: float = LAG_SECONDS,
) -> None:
    """Judge all points, with a day that is imported twice; groups may be behind for so long after it."""
    if obstacle := await InstallationPoints(settings).judge(checklist):
        checklist.skip(DAY_POINTS, obstacle)
    else:
        await DayPoints(settings, day, import_day).judge(checklist)
    await judge_projected(checklist, settings, lag_seconds)
