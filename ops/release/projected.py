"""The points of all projections: no group is behind its topic, and the tables are what the topics say."""

import asyncio
import time

from ops.lag.figures import GroupLag
from ops.lag.looking import looking
from ops.rebuild import states
from ops.rebuild.queries import State
from ops.rebuild.replaying import Progress
from ops.rebuild.report import RebuildReport
from ops.release.points import Checklist, Found
from runtime.database import database
from runtime.projections import PROJECTIONS
from runtime.settings import Settings

PROJECTED_POINTS = ("lag", "verify")
LAG, VERIFY = PROJECTED_POINTS

LAG_SECONDS = 30.0
"""How long a consumer group may take to come to the end of its topic after an import."""

LAG_LOOK_SECONDS = 0.2


async def judge_projected(checklist: Checklist, settings: Settings, patience: float = LAG_SECONDS) -> None:
    """Judge both points; the live tables are not changed."""
    await checklist.judge(LAG, lambda: lag(settings, patience))
    await checklist.judge(VERIFY, lambda: verified(settings))


async def lag(settings: Settings, patience: float) -> Found:
    """Whether all consumer groups come to the end of their topics in time."""
    until = time.monotonic() + patience
    async with database(settings, size=1) as pool, looking(settings.broker, settings.topics, pool) as watch:
        found = (await watch.look()).groups
        while not all(map(_at_the_end, found)) and time.monotonic() < until:
            await asyncio.sleep(LAG_LOOK_SECONDS)
            found = (await watch.look()).groups
    behind = [_behind(one) for one in found if not _at_the_end(one)]
    if behind:
        return Found(
            f"after {patience:.0f} s {'; '.join(behind)}",
            "`lapstream lag` shows it by partition; start `lapstream run all` where nobody is at work, else "
            "the role's log says what it waits for",
        )
    return Found(f"{len(found)} consumer groups are at the end of their topics")


def _at_the_end(one: GroupLag) -> bool:
    return one.behind == 0 and one.standing == "ok"


def _behind(one: GroupLag) -> str:
    notes = [*one.troubles, *(partition.note for partition in one.partitions if partition.note)]
    return ": ".join([f"{one.group} is {one.behind} behind, {one.members} members", *notes[:1]])


async def verified(settings: Settings) -> Found:
    """Whether the tables of all projections are what their topics say."""
    equal: list[str] = []
    differ: list[str] = []
    for projection in PROJECTIONS:
        found = await states.rebuild(settings, projection, "verify", _unseen)
        report = states.report_of(found)
        if report and report.equal:
            equal.append(f"{projection.name} (by {report.records} records)")
        else:
            differ.append(_difference(projection.name, report))
    if differ:
        return Found(
            "; ".join(differ),
            "`lapstream verify PROJECTION` names the rows, `lapstream rebuild start PROJECTION` makes the "
            "tables anew",
        )
    return Found(f"tables equal: {', '.join(equal)}")


def _unseen(_: State, __: Progress) -> None:
    """Show no progress."""


def _difference(name: str, report: RebuildReport | None) -> str:
    if report is None:
        return f"{name}: its comparison is paused"
    tables = (
        f"{one.table} ({', '.join(f'{count} {kind}' for kind, count in one.counts.items() if count)})"
        for one in report.tables
        if not one.equal
    )
    return f"{name}: a rebuild would change {', '.join(tables)}"
