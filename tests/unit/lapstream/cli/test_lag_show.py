"""The lag of a group as people see it."""

from rich.console import Console

from lapstream.cli.lag_show import view
from ops.lag.figures import GroupLag
from ops.lag.report import LagReport


def test_what_could_not_be_found_out_is_said_once() -> None:
    troubles = ["where the tables stand is not known", "the broker has no topic days"]
    group = GroupLag(
        group="days",
        topics=("days",),
        projection="days",
        state="absent",
        members=0,
        standing="ok",
        behind=None,
        kafka_behind=None,
        oldest_seconds=None,
        freshness_seconds=None,
        reason="; ".join(troubles),
        troubles=troubles,
        partitions=[],
        retention_used={},
    )
    console = Console(width=200)
    with console.capture() as shown:
        console.print(view(LagReport(looked_at=None, trouble=None, groups=[group], tracks=[])))
    assert shown.get().splitlines() == [
        "days: absent, 0 members; unknown how far behind",
        f"  unknown: {group.reason}",
    ]
