"""A stream has an event that nobody can read."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import open_reply
from chaos.faults.script import Script, Send

_DATA = b"data:"


class MalformedChunk(Fault):
    """After half of the text comes half of an event's JSON, as an event; then a clean end.

    So do servers that write one event into another, and proxies that cut one at the limit of a
    buffer. Where a line is an event, half of the line comes. In a binary framing a byte of the
    event is wrong, and so its checksum. With the variant ``then_whole`` the spoilt event is one too
    many: everything else comes after it, so that who skips it has the whole answer.

    Source: github.com/zai-org/GLM-5/issues/66 (JSON cut in mid-field, also behind vLLM).
    """

    name = "malformed_chunk"
    summary = "In the middle of a streamed answer an event holds half of its JSON."
    phase = Phase.AFTER_FIRST_BYTE
    streams_only = True
    chats_only = True
    variants = ("then_whole",)

    def script(self, scene: Scene) -> Script:
        """Say half, then something unreadable, then the end or all the rest."""
        opening = open_reply(scene)
        if not scene.call.stream or not opening.rest:
            return Script(opening.steps)
        rest = opening.rest if scene.variant == "then_whole" else ()
        spoilt = Send(_spoilt(opening.rest[0].data))
        return Script((*opening.steps, spoilt, *(Send(piece.data) for piece in rest)))


def _spoilt(event: bytes) -> bytes:
    begin = event.find(_DATA)
    if event.startswith(b"{") and event.endswith(b"\n"):
        return event[: len(event) // 2] + b"\n"
    if begin < 0:
        middle = len(event) // 2
        return event[:middle] + bytes([event[middle] ^ 0xFF]) + event[middle + 1 :]
    payload = event[begin:].rstrip()
    return event[:begin] + payload[: len(_DATA) + (len(payload) - len(_DATA)) // 2] + b"\n\n"
