"""Every page that the site can show, as pure functions from the model to bytes."""

import datetime as dt

from sandbox.sample_site import naming
from sandbox.sample_site.catalogue_page import render_catalogue
from sandbox.sample_site.day_list import render_day_list
from sandbox.sample_site.model import SampleDay
from sandbox.sample_site.month_page import render_month
from sandbox.sample_site.notpages import render_bot_check, render_error_page, render_login, truncated
from sandbox.sample_site.session_page import render_session, render_unknown_session
from sandbox.sample_site.templates import Spelling

__all__ = [
    "Spelling",
    "render_bot_check",
    "render_catalogue",
    "render_day_list",
    "render_empty_day",
    "render_error_page",
    "render_login",
    "render_month",
    "render_session",
    "render_unknown_session",
    "truncated",
]


def render_empty_day(track_slug: str, date: dt.date, *, spelling: Spelling = "served") -> bytes:
    """The list of a day without practice."""
    return render_day_list(SampleDay(track_slug, naming.track_name(track_slug), date), spelling=spelling)
