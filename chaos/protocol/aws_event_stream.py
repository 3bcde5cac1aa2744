"""Amazon's binary framing of streamed replies (``application/vnd.amazon.eventstream``).

    ┌──────────────┬────────────────┬─────────────┬─────────┬─────────┬─────────────┐
    │ total length │ headers length │ prelude CRC │ headers │ payload │ message CRC │
    │      u32     │      u32       │     u32     │         │         │     u32     │
    └──────────────┴────────────────┴─────────────┴─────────┴─────────┴─────────────┘

Big-endian; both checksums are CRC-32. Reading never raises: after a frame that does not add up,
nothing that follows can be trusted, so the reader stops and says why.

Source: AWS, "Amazon Event Stream Specification"; agrees with botocore 1.44.5 both ways.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = struct.Struct(">III")
_CRC = struct.Struct(">I")
_OVERHEAD_BYTES = _PRELUDE.size + _CRC.size
_MOST_HEADERS_BYTES = 128 << 10
_MOST_MESSAGE_BYTES = 24 << 20
_STRING = 7

# Header values of a fixed size, by type; strings and byte arrays (6) carry their length.
_FIXED_BYTES: Mapping[int, int] = MappingProxyType(
    {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
)


@dataclass(frozen=True, slots=True)
class Message:
    """One frame; only headers that are strings are kept."""

    headers: Mapping[str, str]
    payload: bytes


def write_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Write one frame."""
    block = b"".join(_header(name, value) for name, value in headers.items())
    lengths = struct.pack(">II", _OVERHEAD_BYTES + len(block) + len(payload), len(block))
    frame = lengths + _CRC.pack(zlib.crc32(lengths)) + block + payload
    return frame + _CRC.pack(zlib.crc32(frame))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode()
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", _STRING, len(text)) + text


class EventStreamReader:
    """Cuts a stream into frames, whatever way its bytes arrive.

    Attributes:
        broken: What does not add up, in words; None while everything does.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.broken: str | None = None

    def feed(self, data: bytes) -> list[Message]:
        """Take the next bytes and tell the frames that they complete."""
        if self.broken is not None:
            return []
        self._buffer += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def close(self) -> bytes:
        """Tell the bytes of a frame whose end never came."""
        return b"" if self.broken is not None else bytes(self._buffer)

    def _next(self) -> Message | None:
        if len(self._buffer) < _PRELUDE.size:
            return None
        total, headers_length, prelude_crc = _PRELUDE.unpack_from(self._buffer)
        if zlib.crc32(self._buffer[:8]) != prelude_crc:
            self._break("the checksum of a frame's lengths is wrong")
            return None
        if (
            headers_length > _MOST_HEADERS_BYTES
            or total > _MOST_MESSAGE_BYTES
            or total < _OVERHEAD_BYTES + headers_length
        ):
            self._break(f"a frame of {total} bytes with {headers_length} of headers")
            return None
        if len(self._buffer) < total:
            return None
        frame = bytes(self._buffer[:total])
        del self._buffer[:total]
        (crc,) = _CRC.unpack_from(frame, total - _CRC.size)
        if zlib.crc32(frame[: -_CRC.size]) != crc:
            self._break("the checksum of a frame is wrong")
            return None
        split = _PRELUDE.size + headers_length
        headers = _read_headers(frame[_PRELUDE.size : split])
        if headers is None:
            self._break("the headers of a frame cannot be read")
            return None
        return Message(headers, frame[split : -_CRC.size])

    def _break(self, why: str) -> None:
        self.broken = why
        self._buffer.clear()


def _read_headers(block: bytes) -> dict[str, str] | None:
    """Take a block of headers apart; None if it does not add up."""
    headers: dict[str, str] = {}
    at = 0
    try:
        while at < len(block):
            name_length = block[at]
            name = block[at + 1 : at + 1 + name_length].decode()
            at += 1 + name_length
            kind = block[at]
            at += 1
            if kind in _FIXED_BYTES:
                at += _FIXED_BYTES[kind]
                continue
            if kind not in (6, _STRING):
                return None
            (length,) = struct.unpack_from(">H", block, at)
            value = block[at + 2 : at + 2 + length]
            at += 2 + length
            if kind == _STRING:
                headers[name] = value.decode()
    except (IndexError, struct.error, UnicodeDecodeError):
        return None
    return headers if at == len(block) else None
