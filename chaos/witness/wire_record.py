"""What crossed the wire on the far side of the gateway, attempt by attempt, redacted.

Redaction happens before a record exists: no header or body value that carries a credential
gets into a ``WireRecord``, only whether it was our canary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

from chaos.protocol.conversation import Ask
from chaos.protocol.reading import Reading


class AttemptOutcome(StrEnum):
    """What became of one attempt of the gateway at one hop."""

    FAULTED = "faulted"  # the witness played the fault
    SERVED = "served"  # forwarded, and the real upstream answered with success
    STOOD_IN = "stood_in"  # the witness answered as a willing provider
    ERRORED = "errored"  # forwarded, and the real upstream failed
    REFUSED = "refused"  # no live lease, or a hop that may not be contacted


class KeyOwner(StrEnum):
    """Whose credential an attempt carried."""

    CANARY = "canary"
    MIXED = "mixed"  # our canary, and beside it a key that the deployment adds by itself
    OTHER = "other"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class WireRecord:
    """One attempt as it crossed the witness.

    Attributes:
        ordinal: Position among the records of one lease. Starts at 1.
        group: The hop's model group; None if no upstream of the topology fits.
        deployment: LiteLLM's id where exactly one deployment fits.
        operation: The wire format's name.
        started_at_s: Monotonic seconds of the witness process only; so are all ``…_at_s``.
        status: Status sent to the gateway; None if no head was sent.
        fault: Name of the fault that answered; None if none did.
        asked: The request in neutral form; None if its wire format is not read.
        reply: The reply as it was sent to the gateway, read strictly.
        upstream_message: The upstream's own error text, bounded, for people.
        forwarded: A real upstream may have got it, and may charge for it.
        whole: The reply was sent to its planned, good end (false for a cut).
        caller_left: The gateway closed the connection first.
        cut: The drill ended while it was being answered.
        retry_after_s: How long the upstream asked to be left alone (``Retry-After``); None if not.
        via_proxy: It came through a forward proxy (absolute-form target or ``Via``).
        peer: The address that it came from; None if that is not known.
    """

    ordinal: int
    group: str | None
    deployment: str | None
    dialect: str | None
    operation: str | None
    model: str | None
    stream: bool
    outcome: AttemptOutcome
    status: int | None
    fault: str | None = None
    started_at_s: float = 0.0
    first_byte_at_s: float | None = None
    ended_at_s: float = 0.0
    sent_bytes: int = 0
    asked: Ask | None = None
    reply: Reading | None = None
    upstream_message: str | None = None
    key_owner: KeyOwner = KeyOwner.NONE
    forwarded: bool = False
    whole: bool = True
    caller_left: bool = False
    cut: bool = False
    retry_after_s: float | None = None
    via_proxy: bool = False
    peer: str | None = None


SECRET_HEADERS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "cookie",
        "set-cookie",
        "x-amz-security-token",
    }
)
"""Headers whose values never reach a record, a log or a report."""

MASK = "***"


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Copy *headers* with every credential masked.

    A name that sounds like a credential is masked too, because deployments add headers of
    their own (``extra_headers``).
    """
    return {
        name: MASK if name.lower() in SECRET_HEADERS or _sounds_secret(name) else value
        for name, value in headers.items()
    }


def credentials(headers: Mapping[str, str], query: str = "") -> frozenset[str]:
    """Collect what must never be kept, with and without the scheme (``Bearer``) before it."""
    named = (*headers.items(), *parse_qsl(query))
    values = (v for n, v in named if n.lower() in SECRET_HEADERS or _sounds_secret(n))
    return frozenset(part for value in values for part in (value, *value.split()[1:]))


def _sounds_secret(name: str) -> bool:
    lowered = name.lower()
    return any(word in lowered for word in ("key", "token", "secret", "password", "auth"))
