"""Every page for operators."""

from litestar.handlers import HTTPRouteHandler

from server.web.operate import lag, overview

OPERATE: tuple[HTTPRouteHandler, ...] = (
    overview.read_overview,
    lag.read_lag,
    lag.read_group_lag,
)
