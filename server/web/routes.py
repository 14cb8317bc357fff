"""Every page, and what stands before all of them: who asks, whether a form is ours, errors as pages."""

from litestar import Router
from litestar.handlers import HTTPRouteHandler
from litestar.types import Middleware

from server.web import (
    assets,
    compare,
    csv_files,
    day,
    driver,
    drivers,
    imports,
    lap_session,
    live,
    mine,
    months,
    people,
    records,
    sign_in,
    start,
    subscriptions,
    track,
)
from server.web.errors import answer_page
from server.web.operate.routes import OPERATE
from server.web.session import check_form

PAGES: tuple[HTTPRouteHandler, ...] = (
    start.read_start,
    start.refresh_tracks,
    track.read_track,
    records.read_records,
    day.read_day,
    mine.choose_mine,
    lap_session.read_session,
    compare.read_comparison,
    driver.read_driver,
    drivers.read_drivers,
    people.read_person,
    people.read_alias_form,
    people.set_aliases,
    people.read_unset,
    people.unset_alias,
    sign_in.read_sign_in,
    sign_in.sign_in,
    sign_in.sign_out,
    live.begin_following,
    live.stop_following,
    live.follow_day,
    subscriptions.read_subscriptions,
    subscriptions.read_subscription,
    subscriptions.save_subscription,
    subscriptions.remove_subscription,
    imports.read_import_form,
    imports.begin_import,
    imports.read_import,
    imports.follow_import,
    imports.retry_import,
    months.read_month_form,
    months.begin_month,
    months.read_month_import,
    months.retry_month,
    months.cancel_month,
    *csv_files.CSV_FILES,
    *OPERATE,
)


def pages(callers: Middleware) -> list[Router]:
    """The pages, and the files beside them, for which no key is needed."""
    return [
        Router("/", route_handlers=[assets.read_asset]),
        Router(
            "/",
            route_handlers=PAGES,
            middleware=[callers],
            before_request=check_form,
            exception_handlers={Exception: answer_page},
            include_in_schema=False,
        ),
    ]
