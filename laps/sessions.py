"""A session as racers look at it: its laps, our figures of them, and the site's beside them."""

from uuid import UUID

from msgspec import Struct
from msgspec.structs import asdict

from laps.figures import Figures, figures_of
from store import reading
from store.pool import Connection
from store.reading import SessionDetail

ROUNDING = 0.0015
"""How far two figures may be apart that are the same: both are rounded to thousandths."""


class FigureCheck(Struct, frozen=True, kw_only=True):
    """A figure of a session as we compute it, and as the site says; whether the two differ."""

    figure: str
    ours: float | None
    site: float | None
    differs: bool


class SessionReport(SessionDetail, frozen=True, kw_only=True):
    """A session with its figures; where no laps are known, it has none, and nothing is checked.

    `figures.mistakes` are the numbers of the laps that went wrong.
    """

    figures: Figures | None
    checks: list[FigureCheck]

    def is_mistake(self, lap_number: int) -> bool:
        """Whether the lap of this number went wrong."""
        return self.figures is not None and lap_number in self.figures.mistakes


async def read_session(connection: Connection, session: UUID) -> SessionReport | None:
    """A session with its laps and figures, by its row's id."""
    found = await reading.read_session(connection, session)
    return found and report_of(found)


def report_of(session: SessionDetail) -> SessionReport:
    """A session with its figures."""
    figures = figures_of(session.laps) if session.laps else None
    checks = checked(session, figures) if figures else []
    return SessionReport(**asdict(session), figures=figures, checks=checks)


def checked(session: SessionDetail, figures: Figures) -> list[FigureCheck]:
    """Our figures beside those that the site gives."""
    ours, site = asdict(figures), asdict(session)
    if session.stats:
        site |= asdict(session.stats)
    return [_check(name, ours[name], site[name]) for name in ours if site.get(name) is not None]


def _check(name: str, ours: float | None, site: float) -> FigureCheck:
    differs = ours is None or abs(ours - site) > ROUNDING
    return FigureCheck(figure=name, ours=ours, site=site, differs=differs)
