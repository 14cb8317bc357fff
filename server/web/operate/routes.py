"""Every page for operators."""

from litestar.handlers import HTTPRouteHandler

from server.web.operate import lag, overview, parked, rebuilds, runs, site

OPERATE: tuple[HTTPRouteHandler, ...] = (
    overview.read_overview,
    lag.read_lag,
    lag.read_group_lag,
    parked.read_parked,
    parked.read_record,
    parked.ask_redrive,
    parked.redrive,
    parked.ask_discard,
    parked.discard,
    parked.ask_fix,
    parked.fix,
    rebuilds.read_rebuilds,
    rebuilds.read_rebuild,
    rebuilds.ask_rebuild,
    rebuilds.act_on_rebuild,
    runs.read_runs,
    runs.read_operated_run,
    runs.ask_run,
    runs.act_on_run,
    site.read_site,
    site.ask_site,
    site.turn_site,
)
