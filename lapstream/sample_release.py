"""The checklist of a release with the sample site's day, of which nothing stays.

The day is imported by roles of this process, into a database and topics that are made on the installation's
servers and removed in the end. Of the installation itself, the schema and the topics are looked at.
"""

import datetime as dt

from msgspec.structs import replace

from broker.topics import TopicRefused
from lapstream.roles import roles_at_work
from ops.release.day import COUNTED, DAY_POINTS, Day, DayPoints, Expected, Import
from ops.release.installation import InstallationPoints
from ops.release.points import Checklist, Found
from ops.release.projected import PROJECTED_POINTS, judge_projected
from ops.release.scratch import TOPICS, Scratch
from runtime.faults import RightMissing, explained
from runtime.settings import Settings
from sandbox.sample_site.generate import real_shape_day
from sandbox.sample_site.model import SampleDay
from sandbox.sample_site.server import serve
from sandbox.sample_site.site import SampleSite

SAMPLE_DAY = Day("sample-track", dt.date(2025, 10, 25))

CLEANUP = "cleanup"

ROLES = ("fetcher", "projector", "relay")

REMEDY = (
    "the sample day needs a database, topics and groups of its own: let the user of LAPSTREAM_POSTGRES_DSN "
    f"make databases (CREATEDB), and the broker's user use what has `{TOPICS}` behind your prefix; or name a "
    "day of yours with --track and --date"
)


async def judge_sample_day(checklist: Checklist, settings: Settings, import_day: Import) -> None:
    """Judge all points, with a day of the sample site, and then remove what was made for it."""
    await InstallationPoints(settings).judge(checklist)
    scratch = Scratch(settings)
    try:
        await _judge_day(checklist, scratch, import_day)
    except Exception as error:  # noqa: BLE001 - it is a point's, or raised again
        refused = isinstance(explained(error), RightMissing | TopicRefused)
        checklist.give_up(DAY_POINTS + PROJECTED_POINTS, error, REMEDY if refused else None)
    finally:
        if scratch.begun:
            await checklist.judge(CLEANUP, lambda: _removed(scratch))
        else:
            checklist.skip([CLEANUP], "nothing was made")


async def _judge_day(checklist: Checklist, scratch: Scratch, import_day: Import) -> None:
    await scratch.make()
    day = real_shape_day(SAMPLE_DAY.track, SAMPLE_DAY.date)
    site = SampleSite()
    site.put(day)
    async with serve(site) as running:
        settings = replace(scratch.settings, site=running.site_template, site_interval_seconds=0)
        async with roles_at_work(settings, *ROLES):
            await DayPoints(settings, SAMPLE_DAY, import_day, _expected(day)).judge(checklist)
            await judge_projected(checklist, settings)


def _expected(day: SampleDay) -> Expected:
    laps = sum(len(session.laps) for session in day.sessions)
    counts = dict.fromkeys(COUNTED, len(day.sessions)) | {"laps": laps}
    return Expected(counts, "as the sample site has them")


async def _removed(scratch: Scratch) -> Found:
    topics = await scratch.remove()
    return Found(f"removed the database {scratch.database} and {topics} topics")
