"""A stream has an event that nobody can read."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import open_reply
from chaos.faults.script import Script, Send

_DATA = b"data:"


class MalformedChunk(Fault):
    """After half of the text comes half of an event's JSON, as an event; then a clean end.

    So do servers that write one event into another, and proxies that cut one at the limit of a
    buffer. In a binary framing a byte of the event is wrong, and so its checksum.

    Source: github.com/zai-org/GLM-5/issues/66 (JSON cut in mid-field, also behind vLLM).
    """

    name = "malformed_chunk"
    summary = "In the middle of a streamed answer an event holds half of its JSON."
    phase = Phase.AFTER_FIRST_BYTE
    streams_only = True
    chats_only = True

    def script(self, scene: Scene) -> Script:
        """Say half, then something unreadable, and end."""
        opening = open_reply(scene)
        if not scene.call.stream or not opening.rest:
            return Script(opening.steps)
        return Script((*opening.steps, Send(_spoilt(opening.rest[0].data))))


def _spoilt(event: bytes) -> bytes:
    begin = event.find(_DATA)
    if begin < 0:
        middle = len(event) // 2
        return event[:middle] + bytes([event[middle] ^ 0xFF]) + event[middle + 1 :]
    payload = event[begin:].rstrip()
    return event[:begin] + payload[: len(_DATA) + (len(payload) - len(_DATA)) // 2] + b"\n\n"
