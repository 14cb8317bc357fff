"""Every setting, in one typed place, read once from the environment.

`LAPSTREAM_` and the field's name in capitals is the variable's name, but for those in `OTHER_NAMES`. A value
can also be read from a file, named by the variable with `_FILE` behind it (for secrets).
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, cast, get_args, get_origin, get_type_hints
from urllib.parse import SplitResult, urlsplit

import msgspec
from msgspec import Meta, Struct, field

from broker.access import ENDPOINT, SECRETS, BadAccess, BrokerAccess, Mechanism, Protocol
from producer.site import BadAddress, Site
from runtime import secrets
from runtime.log_topics import NotTopics, log_topics
from runtime.log_topics import as_text as log_topics_as_text
from schemas.errors import LapstreamError
from schemas.expected import in_words
from schemas.topics import LogTopic, Topics
from schemas.zones import is_zone

PREFIX = "LAPSTREAM_"
OTHER_NAMES = {"detail_concurrency": "PRACTICE_DAY_DETAIL_CONCURRENCY"}
KAFKA = "kafka_"
"""What stands before a field of `BrokerAccess` in the name of its setting."""

LEAST_PRUNE_DAYS = 30
"""What ended within so many days is kept: longer than a work queue can bring a request again."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class SettingsError(LapstreamError):
    """A setting that is missing or wrong: which one, what was found, and what is expected."""

    exit_code = 2


class Settings(Struct, frozen=True, kw_only=True):
    """What Lapstream is run with."""

    kafka_bootstrap: Annotated[str, Meta(min_length=1, description="Brokers, as host:port,host:port")]
    kafka_security_protocol: Annotated[
        Protocol,
        Meta(description="How brokers are reached: TLS where it says SSL, a login where it says SASL"),
    ] = "PLAINTEXT"
    kafka_ssl_ca_location: Annotated[
        str,
        Meta(
            description=(
                "A PEM file of the certificate authorities that brokers' certificates are verified by; "
                "the system's if empty"
            )
        ),
    ] = ""
    kafka_ssl_certificate_location: Annotated[
        str, Meta(description="A PEM file with the certificate that brokers are shown; none if empty")
    ] = ""
    kafka_ssl_key_location: Annotated[
        str, Meta(description="A PEM file with the certificate's key; that of the certificate if empty")
    ] = ""
    kafka_ssl_key_password: Annotated[str, Meta(description="The key's password, where it has one")] = ""
    kafka_sasl_mechanism: Annotated[
        Mechanism, Meta(description="How to log in, where the security protocol says SASL")
    ] = ""
    kafka_sasl_username: Annotated[str, Meta(description="The user, for PLAIN and SCRAM")] = ""
    kafka_sasl_password: Annotated[str, Meta(description="The user's password")] = ""
    kafka_sasl_oauthbearer_token_endpoint_url: Annotated[
        str,
        Meta(
            description=(
                "For OAUTHBEARER: where a token is asked for with the client's id and secret, as "
                "https://host/path; or, as file:///path, a file with one, which is read for each connection"
            )
        ),
    ] = ""
    kafka_sasl_oauthbearer_client_id: Annotated[
        str, Meta(description="The client's id at the token endpoint")
    ] = ""
    kafka_sasl_oauthbearer_client_secret: Annotated[
        str, Meta(description="The client's secret at the token endpoint")
    ] = ""
    kafka_sasl_oauthbearer_scope: Annotated[
        str, Meta(description="The scope that is asked for at the token endpoint; none if empty")
    ] = ""
    postgres_dsn: Annotated[str, Meta(description="The database, as postgresql://user:password@host/name")]
    site: Annotated[
        str, Meta(description="The timing site, with {track_slug} where the track's name belongs")
    ] = "https://{track_slug}.liverc.com"
    contact: Annotated[
        str,
        Meta(
            max_length=200,
            description=(
                "Who runs this, told to the site in the User-Agent: a mail address or a page; without "
                "it the fetcher starts for a site on this machine only"
            ),
        ),
    ] = ""
    site_interval_seconds: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            description=(
                "Seconds between the begins of two requests to the site, over all processes and "
                "tracks, varied by a fifth"
            ),
        ),
    ] = 1.0
    detail_concurrency: Annotated[
        int, Meta(ge=1, le=64, description="N: sessions that one fetcher process fetches at a time")
    ] = 5
    detail_partitions: Annotated[
        int,
        Meta(
            ge=1,
            le=256,
            description=(
                "P: partitions that session-detail-requests is created with, and has at least; as many as "
                "it has are fetched for at a time, over all processes"
            ),
        ),
    ] = 8
    site_parallel_requests: Annotated[
        int, Meta(ge=1, le=64, description="Requests to the site that may be open at a time, over the fleet")
    ] = 8
    fetch_attempts: Annotated[
        int, Meta(ge=1, le=10, description="How often a page is asked for before it counts as failed")
    ] = 3
    topic_prefix: Annotated[
        str,
        Meta(
            pattern=r"^[a-zA-Z0-9._-]{0,60}\Z",
            description="Put before the names of topics and groups: up to 60 letters, digits, `.`, `_`, `-`",
        ),
    ] = ""
    log_topics: Annotated[
        tuple[LogTopic, ...],
        Meta(
            description=(
                "The topics of the event log, without prefix, each with the sources that it may speak for "
                "(`*`: all); of two that speak for one source, the one that is named first counts"
            )
        ),
    ] = Topics().log
    replication_factor: Annotated[int, Meta(ge=1, le=9, description="Replicas of a topic it creates")] = 1
    track_zones: Annotated[
        dict[str, str],
        Meta(
            description=(
                "IANA zones of tracks that are not subscribed to with one; without any the tables hold local "
                "time only"
            )
        ),
    ] = field(default_factory=dict[str, str])

    parking_limit: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description=(
                "So many parked records of one group are no passing fault: it stops before the next one"
            ),
        ),
    ] = 20_000
    run_stalled_seconds: Annotated[
        float,
        Meta(
            ge=1,
            le=86_400,
            description=(
                "After so many seconds without a sign of life a run is resumed; after four times, it fails"
            ),
        ),
    ] = 120.0
    prune_after_days: Annotated[
        int,
        Meta(
            ge=0,
            le=36_500,
            description=(
                "After so many days the relay deletes what ended and nothing needs, 30 at least; 0 for never"
            ),
        ),
    ] = 0
    api_host: Annotated[str, Meta(min_length=1, description="Where the API listens")] = "127.0.0.1"
    api_port: Annotated[int, Meta(ge=0, le=65_535, description="Its port; 0 takes a free one")] = 8080
    api_open_read: Annotated[bool, Meta(description="Whether reading needs no API key: true or false")] = True
    api_cors_origins: Annotated[
        str,
        Meta(description="Origins whose pages may ask the API, as https://one,https://two; none if empty"),
    ] = ""
    api_requests_per_minute: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Requests a minute that the API takes from one caller")
    ] = 600
    api_proxy_user_header: Annotated[
        str,
        Meta(
            max_length=100,
            pattern=r"^[A-Za-z0-9-]*\Z",
            description=(
                "Header by which a proxy says who is signed in, as X-Forwarded-User; believed of the "
                "addresses in FORWARDED_ALLOW_IPS, by the pages only; none if empty"
            ),
        ),
    ] = ""
    api_proxy_scope: Annotated[
        Literal["read", "ingest", "operate"], Meta(description="What those users may do on the pages")
    ] = "read"
    metrics_port: Annotated[
        int, Meta(ge=0, le=65_535, description="Where roles other than the API show metrics; 0 for nowhere")
    ] = 0
    otlp_endpoint: Annotated[
        str, Meta(description="Where traces are sent, as http://host:4318; nowhere if empty")
    ] = ""

    def __repr__(self) -> str:
        """The settings without secrets: what an assertion, a log or a traceback may show."""
        values = ((name, shown(name, as_text(getattr(self, name)))) for name in self.__struct_fields__)
        return f"Settings({', '.join(f'{name}={text!r}' for name, text in values)})"

    @property
    def broker(self) -> BrokerAccess:
        """How the brokers are reached."""
        return BrokerAccess(**{name: getattr(self, KAFKA + name) for name in BrokerAccess.__struct_fields__})

    @property
    def topics(self) -> Topics:
        """The topics under their configured names."""
        return Topics(prefix=self.topic_prefix, detail_partitions=self.detail_partitions, log=self.log_topics)

    @property
    def user_agent(self) -> str:
        """What the site is told of us."""
        return f"lapstream/0.1 (practice day importer; {self.contact or 'no contact given'})"


def meta_of(name: str) -> Meta:
    """The bounds of a setting, and what it does."""
    hints = get_args(get_type_hints(Settings, include_extras=True)[name])
    return next(one for one in hints if isinstance(one, Meta))


def choices(name: str) -> tuple[str, ...]:
    """The texts that a setting may have, where they are few."""
    kind = get_args(get_type_hints(Settings, include_extras=True)[name])[0]
    return tuple(filter(None, get_args(kind))) if get_origin(kind) is Literal else ()


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return OTHER_NAMES.get(name, PREFIX + name.upper())


_ADDRESSES = ("kafka_bootstrap", KAFKA + ENDPOINT, "postgres_dsn", "site", "otlp_endpoint")
_SECRETS = frozenset(KAFKA + name for name in SECRETS)
_HOST = re.compile(r"(\[[^\[\]]*\]|[^\[\]:\s/?#@]*)(:\d{1,5})?")
LARGEST_PORT = 65_535


def shown(name: str, text: str) -> str:
    """What may be shown of a setting: all of it but secrets."""
    if name in _ADDRESSES:
        return secrets.shown(text, path=name != "otlp_endpoint")
    if name in _SECRETS and text:
        return secrets.HIDDEN
    return secrets.without_secrets(text)


def shown_now(name: str) -> str:
    """What may be shown of a setting as the environment has it."""
    return shown(name, _value(os.environ, variable(name)) or "an address that is not set")


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings; raises `SettingsError` with the variable's name and the reason."""
    found = {
        name: value
        for name in Settings.__struct_fields__
        if (value := _value(environment, variable(name))) is not None
    }
    for name, text in found.items():
        if name in _ADDRESSES:
            secrets.remember(text, path=name != "otlp_endpoint")
        elif name in _SECRETS:
            secrets.remember_word(text)
    values = {name: _parsed(name, text) for name, text in found.items()}
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_explain(str(error))) from error
    _check_site(settings)
    _check_collector(settings)
    _check_bootstrap(settings)
    _check_broker(settings)
    _check_dsn(settings)
    _check_prune(settings)
    return settings


def read_broker_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings for a command that needs no database: its address need not be set."""
    return read_settings({variable("postgres_dsn"): "postgresql:///", **environment})


def environment(settings: Settings) -> dict[str, str]:
    """This process's environment, from which another one reads just these settings."""
    own = {variable(name) for name in Settings.__struct_fields__}
    rest = {name: text for name, text in os.environ.items() if name.removesuffix("_FILE") not in own}
    return rest | {variable(name): as_text(getattr(settings, name)) for name in Settings.__struct_fields__}


def as_text(value: object) -> str:
    """The value of a setting as its variable holds it."""
    if isinstance(value, tuple):
        return log_topics_as_text(cast("tuple[LogTopic, ...]", value))
    if isinstance(value, dict):
        return ",".join(f"{key}={item}" for key, item in cast("dict[str, str]", value).items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(environment: Mapping[str, str], name: str) -> str | None:
    file = environment.get(f"{name}_FILE")
    if file is None:
        return environment.get(name)
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name}_FILE: {file} can't be read: it is not UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{name}_FILE: {file} can't be read: {error.strerror}") from error


def _parsed(name: str, text: str) -> object:
    """The value of a setting that has a form of its own; else its text."""
    if name == "track_zones":
        return _zones(text)
    if name != "log_topics":
        return text
    try:
        return log_topics(text)
    except NotTopics as error:
        raise SettingsError(f"{variable(name)}: {error}") from error


def _zones(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if any(not zone for _, _, zone in pairs):
        raise SettingsError(f"{variable('track_zones')}: {text!r} is not of the form slug=Zone,slug=Zone")
    for _, _, zone in pairs:
        if not is_zone(zone.strip()):
            raise SettingsError(
                f"{variable('track_zones')}: {zone.strip()!r} is no IANA zone, such as Australia/Sydney"
            )
    return {slug.strip(): zone.strip() for slug, _, zone in pairs}


def _explain(message: str) -> str:
    """Msgspec's message with the variable in place of the field."""
    for name in Settings.__struct_fields__:
        if message == f"Object missing required field `{name}`":
            hint = '`eval "$(lapstream dev up)"` sets it for servers of this machine'
            return f"{variable(name)} is not set: {hint}"
        if message.endswith(f"`$.{name}`"):
            return f"{variable(name)}: {_in_words(name, message.removesuffix(f' - at `$.{name}`'))}"
    return message


def _in_words(name: str, message: str) -> str:
    """What is expected of a field."""
    if "of length >= 1" in message:
        return "it is empty"
    if message.startswith("Invalid enum value"):
        return f"{message.removeprefix('Invalid enum value ')} is none of {', '.join(choices(name))}"
    if "matching regex" in message:
        return f"of another form than expected: {meta_of(name).description}"
    return in_words(message)


def _check_site(settings: Settings) -> None:
    try:
        Site(settings.site)
    except BadAddress as error:
        raise SettingsError(f"{variable('site')}: {error}") from error


def _check_prune(settings: Settings) -> None:
    if 0 < settings.prune_after_days < LEAST_PRUNE_DAYS:
        raise SettingsError(
            f"{variable('prune_after_days')}: {settings.prune_after_days} is too few: what ended within "
            f"{LEAST_PRUNE_DAYS} days may still be needed; 0 keeps everything"
        )


def _check_dsn(settings: Settings) -> None:
    """Raise `SettingsError` where clients would take a part of the password for something else."""
    try:
        good = _is_dsn(urlsplit(settings.postgres_dsn))
    except ValueError:
        good = False
    if not good:
        raise SettingsError(
            f"{variable('postgres_dsn')}: it is not of the form postgresql://user:password@host:port/name; "
            "in a password `/`, `#`, `?`, `[`, `]` and `%` are written as %2F, %23, %3F, %5B, %5D and %25"
        )


def _is_dsn(place: SplitResult) -> bool:
    hosts = [_HOST.fullmatch(host) for host in place.netloc.rpartition("@")[2].split(",")]
    return (
        place.scheme in {"postgres", "postgresql"}
        and not place.fragment
        and "@" not in place.path
        and all(host and _is_port(host[2]) for host in hosts)
    )


def _check_collector(settings: Settings) -> None:
    try:
        place = urlsplit(settings.otlp_endpoint)
        good = place.scheme in {"http", "https"} and bool(place.hostname)
    except ValueError:
        good = False
    if settings.otlp_endpoint and not good:
        raise SettingsError(f"{variable('otlp_endpoint')}: it is not of the form http://host:4318")


def _check_bootstrap(settings: Settings) -> None:
    """Raise `SettingsError` where a broker's address is none."""
    for broker in settings.kafka_bootstrap.split(","):
        found = _HOST.fullmatch(broker.strip())
        if found is None or not found[1].strip("[]") or not _is_port(found[2]):
            told = shown("kafka_bootstrap", broker)
            raise SettingsError(f"{variable('kafka_bootstrap')}: '{told}' is not of the form host:port")


def _check_broker(settings: Settings) -> None:
    """Raise `SettingsError` where encryption and login do not fit together, or a file is not right."""
    try:
        settings.broker.check()
    except BadAccess as error:
        raise SettingsError(f"{variable(KAFKA + error.field)}: {error.reason}") from error


def _is_port(text: str | None) -> bool:
    """Whether this is `:` and a port, or nothing."""
    return not text or 0 < int(text[1:] or 0) <= LARGEST_PORT


def check_contact(settings: Settings) -> None:
    """Raise `SettingsError` where a real site would be asked by somebody who does not say who it is."""
    host = urlsplit(settings.site.replace("{track_slug}", "track")).hostname
    if host not in _LOOPBACK and not settings.contact:
        raise SettingsError(
            f"{variable('contact')} is not set: {host} is to be told who asks; a mail address or a page"
        )
