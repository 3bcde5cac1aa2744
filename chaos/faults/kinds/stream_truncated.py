"""A stream ends in the middle of the answer, as if that were all."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import open_reply
from chaos.faults.script import Script


class StreamTruncated(Fault):
    """The stream ends cleanly after half of the text: no finish reason, no terminator.

    So do proxies that close politely when their upstream breaks. Only the missing end tells it
    from a whole answer, and gateways like to invent one.

    Source: github.com/BerriAI/litellm/issues/40260, #42085: the client is told ``stop``.
    """

    name = "stream_truncated"
    summary = "The stream ends cleanly in the middle of the answer, without finish or terminator."
    phase = Phase.AFTER_FIRST_BYTE
    streams_only = True
    chats_only = True

    def script(self, scene: Scene) -> Script:
        """Say half, and end."""
        return Script(open_reply(scene).steps)
