"""Read a reply as it was before its sender packed it, from a copy: the caller gets it packed.

Which packings a reply may have is decided when it is asked for (``readable``), so that evidence
is never lost to a packing that nothing here can undo.
"""

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

MOST_BYTES = 32 << 20
"""A few bytes may unpack to any number; what is longer than this is not read."""

_GZIP = zlib.MAX_WBITS | 16
_RAW = -zlib.MAX_WBITS


def _gunzip(packed: bytes) -> bytes:
    unpacked = b""
    while packed:  # a packed stream may be several, one after another
        reader = zlib.decompressobj(_GZIP)
        unpacked += reader.decompress(packed, MOST_BYTES + 1 - len(unpacked))
        packed = b"" if len(unpacked) > MOST_BYTES else reader.unused_data
    return unpacked


def _inflate(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, MOST_BYTES + 1)
    except zlib.error:
        # Some senders leave the header away. Source: RFC 9110, section 8.4.1.2.
        return zlib.decompressobj(_RAW).decompress(packed, MOST_BYTES + 1)


CODINGS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {"identity": bytes, "gzip": _gunzip, "x-gzip": _gunzip, "deflate": _inflate}
)
"""Content codings that can be undone. Source of the names: RFC 9110, section 8.4.1."""


def readable(accepted: str) -> str:
    """Leave of an ``Accept-Encoding`` only what can be undone."""
    kept = [item.strip() for item in accepted.split(",")]
    return ", ".join(k for k in kept if k.split(";")[0].strip().lower() in CODINGS) or "identity"


def unpacked(body: bytes, codings: str) -> bytes | None:
    """Undo what ``Content-Encoding`` says; None where that cannot be done.

    The beginning of a packed reply that broke off gives the beginning of the reply.
    """
    names = [name.strip().lower() for name in codings.split(",") if name.strip()]
    try:
        for name in reversed(names):
            body = CODINGS[name](body)
            if len(body) > MOST_BYTES:
                return None
    except (KeyError, zlib.error):
        return None
    return body
