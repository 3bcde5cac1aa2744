"""A stream breaks in the middle of the answer."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import open_at, open_reply
from chaos.faults.script import Close, Reset, Script
from chaos.protocol.format import PieceKind


class StreamCut(Fault):
    """The connection is reset after half of the text has been said.

    So do a killed engine, a load balancer at its idle limit, a network that fails. The user has
    read the first half, so no gateway can begin anew without saying so: one honest error is the
    good end. With the variant ``before_text`` it breaks sooner: the stream has begun, and nothing
    of the answer was said. Then another hop may still serve, and the head names the wrong one.
    With ``fin`` it is closed instead of reset, and the last chunk of the body is missing: so does
    a provider's process that is stopped politely.

    Source: measured on LiteLLM 1.106.2: an error in the stream, and no fallback; before the text
    a fallback, and the primary's name in every header.
    """

    name = "stream_cut"
    summary = "The connection breaks in the middle of a streamed answer: a reset, or fin."
    phase = Phase.AFTER_FIRST_BYTE
    streams_only = True
    chats_only = True
    variants = ("before_text", "fin")

    def script(self, scene: Scene) -> Script:
        """Say half, or just begin, then break off."""
        opening = open_reply(scene)
        if scene.variant == "before_text" and scene.call.stream:
            pieces = scene.pieces()
            starts = [at for at, piece in enumerate(pieces) if piece.kind is not PieceKind.START]
            opening = open_at(scene, pieces, starts[0])
        return Script((*opening.steps, Close() if scene.variant == "fin" else Reset()))
