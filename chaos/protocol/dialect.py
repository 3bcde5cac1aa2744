"""The contract of a dialect: one provider's way of being called and of failing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from chaos.protocol.conversation import Json
from chaos.protocol.format import WireFormat


@dataclass(frozen=True, slots=True)
class RawCall:
    """A request of the gateway to an upstream, as it came.

    Attributes:
        path: Path below the lane or the deployment's base, with its leading slash, no query.
        headers: Names in lower case.
        body: The JSON body; empty where there was none.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Json
    query: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that a dialect recognises as one of its own.

    Attributes:
        readable: What it asks can be read, and answered; a call of no known language can fail.
    """

    dialect: str
    format: WireFormat
    model: str
    stream: bool
    readable: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class ErrorRow:
    """How a provider answers when it fails in one particular way.

    A row is equal only to itself, so that what is written from it can be kept.

    Attributes:
        body: The JSON body, or text (HTML) where the provider sends none.
        source: Where the row comes from: an issue, a documentation page.
        unconfirmed: True where no public source confirms it (general knowledge).
    """

    status: int
    body: Any
    source: str
    headers: Mapping[str, str] = field(default_factory=dict)
    unconfirmed: bool = False


class Dialect(Protocol):
    """One provider.

    Attributes:
        providers: LiteLLM's provider prefixes that speak it (``anthropic/…``).
        formats: The wire formats it speaks, the usual one first.
        key_headers: Headers that carry credentials, lower case.
        keyless: Surfaces on which LiteLLM sends it no key, whatever a request carries.
        signs: Requests are signed for a host, so they can be failed but not passed through.
        twin_only: Why no redirect may bring its requests to the witness; None if one may.
        rows: Its error answers by fault name, variants as ``rate_limit.retry_after_20``.
    """

    name: ClassVar[str]
    providers: ClassVar[tuple[str, ...]]
    formats: ClassVar[tuple[WireFormat, ...]]
    key_headers: ClassVar[tuple[str, ...]]
    keyless: ClassVar[frozenset[str]]
    signs: ClassVar[bool]
    twin_only: ClassVar[str | None]
    rows: ClassVar[Mapping[str, ErrorRow]]

    def recognise(self, call: RawCall) -> Call | None:
        """Tell what *call* asks for if it is in this dialect, else None."""
        ...

    def real_url(self, base: str, call: RawCall) -> str:
        """Name the provider's own URL for *call*; *base* is the deployment's base URL."""
        ...
