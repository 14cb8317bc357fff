"""FastStream's broker, which the fetcher's groups subscribe with: reached as every other Kafka client is."""

from typing import Any

from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLOAuthBearer, SASLPlaintext, SASLScram256, SASLScram512

from broker.access import BrokerAccess
from broker.clients import REQUEST_MS

_WITH_PASSWORD: dict[str, type[SASLPlaintext | SASLScram256 | SASLScram512]] = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}


def make_broker(access: BrokerAccess, *, finish_seconds: float) -> KafkaBroker:
    """A broker of FastStream's that only consumes; raises `BadAccess`."""
    options = access.options()
    return KafkaBroker(
        access.bootstrap,
        security=_security(access, options),
        sasl_oauth_token_provider=options.get("sasl_oauth_token_provider"),
        request_timeout_ms=REQUEST_MS,
        graceful_timeout=finish_seconds,
        consumer_only=True,
        logger=None,
        apply_types=False,
    )


def _security(access: BrokerAccess, options: dict[str, Any]) -> BaseSecurity:
    """The options for encryption and login in FastStream's own form."""
    context = options.get("ssl_context")
    if not access.logs_in:
        return BaseSecurity(context)
    if access.takes_tokens:
        return SASLOAuthBearer(context)
    return _WITH_PASSWORD[access.sasl_mechanism](access.sasl_username, access.sasl_password, context)
