"""From what one session takes to what a club, a country and all of the site take: plain multiplication."""

from msgspec import Struct

SECONDS_A_DAY = 86_400


class Measured(Struct, frozen=True, kw_only=True):
    """What was measured of days of one shape, with everything that they left divided by their sessions.

    Bytes are those of a session with its share of its day; `rebuild_laps_a_second` is `bench.rebuild`'s.
    """

    sessions_a_day: int
    laps_a_session: int
    log_bytes: float
    archive_bytes: float
    outcome_bytes: float
    table_bytes: float
    run_bytes: float
    cpu_seconds: float
    seconds: float
    role_mib: float
    rebuild_laps_a_second: float


class Scale(Struct, frozen=True, kw_only=True):
    """How much practice there is: so many days at so many tracks, over so many years."""

    name: str
    tracks: int
    days_a_year: int
    years: int = 10

    @property
    def days(self) -> int:
        """All days."""
        return self.tracks * self.days_a_year * self.years


SCALES = (
    Scale(name="one club", tracks=1, days_a_year=100),
    Scale(name="one country", tracks=100, days_a_year=50),
    Scale(name="all of LiveRC", tracks=2_500, days_a_year=80),
)


class Needs(Struct, frozen=True, kw_only=True):
    """What such a scale comes to. `fetch_days` is at one request a second; a rebuild in hours."""

    name: str
    days: int
    sessions: int
    laps: int
    fetch_days: float
    new_pages_a_day: float
    kafka_gb: float
    kafka_mb_a_day: float
    postgres_gb: float
    runs_gb: float
    rebuild_hours: float
    import_cpu_days: float


def needs(scale: Scale, measured: Measured) -> Needs:
    """What a scale comes to, by what a session takes."""
    sessions = scale.days * measured.sessions_a_day
    pages = sessions + scale.days
    kafka = sessions * (measured.log_bytes + measured.archive_bytes + measured.outcome_bytes)
    calendar_days = scale.years * 365
    return Needs(
        name=scale.name,
        days=scale.days,
        sessions=sessions,
        laps=sessions * measured.laps_a_session,
        fetch_days=pages / SECONDS_A_DAY,
        new_pages_a_day=pages / calendar_days,
        kafka_gb=kafka / 1e9,
        kafka_mb_a_day=kafka / calendar_days / 1e6,
        postgres_gb=sessions * (measured.table_bytes + measured.run_bytes) / 1e9,
        runs_gb=sessions * measured.run_bytes / 1e9,
        rebuild_hours=sessions * measured.laps_a_session / measured.rebuild_laps_a_second / 3600,
        import_cpu_days=sessions * measured.cpu_seconds / SECONDS_A_DAY,
    )
