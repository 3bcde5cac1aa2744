"""A stream breaks in the middle of the answer."""

from chaos.fault import FaultTraits, Phase, Scene
from chaos.faults.opening import open_reply
from chaos.script import Reset, Script


class StreamCut(FaultTraits):
    """The connection is reset after half of the text has been said.

    So do a killed engine, a load balancer at its idle limit, a network that fails. The user has
    read the first half, so no gateway can begin anew without saying so: one honest error is the
    good end.

    Source: measured on LiteLLM 1.106.2: an error in the stream, and no fallback.
    """

    name = "stream_cut"
    summary = "The connection is reset in the middle of a streamed answer."
    phase = Phase.AFTER_FIRST_BYTE
    streams_only = True
    chats_only = True

    def script(self, scene: Scene) -> Script:
        """Say half, then reset."""
        return Script((*open_reply(scene).steps, Reset()))
