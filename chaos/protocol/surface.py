"""The contract of a surface: an endpoint of the gateway and how a client asks there."""

from collections.abc import Mapping
from typing import Protocol

from chaos.protocol.format import WireFormat


class Surface(Protocol):
    """One endpoint.

    Attributes:
        path: Below the gateway's URL.
        streams: It has streamed replies.
        format: How requests and replies are written there.
    """

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def streams(self) -> bool: ...
    @property
    def format(self) -> WireFormat: ...

    def headers(self, key: str) -> Mapping[str, str]:
        """Write the headers that a client of this endpoint sends, *key* among them."""
        ...
