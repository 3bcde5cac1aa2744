"""A strict reader of newline-delimited JSON, without I/O: bytes in, lines out.

Invariant: the lines do not depend on how the bytes were split. What was begun and not ended is no
line: ``close`` returns it as it came.
"""

LINES = "application/x-ndjson"
"""The media type of such a stream."""

MAX_LINE_BYTES = 8 << 20
"""No server sends a line of this size; one that does shall not fill our memory."""


class JsonLines:
    """Cuts one stream into lines; empty lines are left out.

    Attributes:
        oversized: How many lines were too long to keep, and so are lost.
    """

    def __init__(self, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._most = max_line_bytes
        # The parts of a line whose end has not come; joined once.
        self._parts: list[bytes] = []
        self._length = 0
        self.oversized = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the lines that they complete."""
        *ended, rest = data.split(b"\n")
        lines = []
        for part in ended:
            self._keep(part)
            line = self._taken()
            if line:
                lines.append(line)
        self._keep(rest)
        return lines

    def close(self) -> bytes:
        """End the stream and return what was begun and not ended; empty if nothing was."""
        return self._taken()

    def _keep(self, part: bytes) -> None:
        self._length += len(part)
        if self._length <= self._most:
            self._parts.append(part)

    def _taken(self) -> bytes:
        """Put the line together, and begin the next one."""
        lost = self._length > self._most
        line = b"" if lost else b"".join(self._parts).strip()
        self.oversized += lost
        self._parts, self._length = [], 0
        return line
