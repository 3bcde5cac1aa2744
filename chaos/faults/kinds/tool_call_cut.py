"""A stream ends in the middle of a tool call's arguments."""

from dataclasses import replace

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import Opening, open_at, open_reply
from chaos.faults.script import Reset, Script
from chaos.protocol.format import PieceKind


class ToolCallCut(Fault):
    """Half of the arguments are sent; then a clean end, or a RST with the variant ``reset``.

    The worst of the cuts: half a call that is presented as complete is acted upon. Gateways
    have closed its JSON, and have said that the answer ended well.

    Source: github.com/BerriAI/litellm/issues/40260, pull/32159; measured on LiteLLM 1.106.2:
    half the arguments and ``stop``.
    """

    name = "tool_call_cut"
    summary = "The stream ends in the middle of a tool call's arguments."
    phase = Phase.AFTER_FIRST_BYTE
    streams_only = True
    tools_only = True
    chats_only = True
    variants = ("reset",)

    def script(self, scene: Scene) -> Script:
        """Say half of the first call, and end."""
        steps = _open_call(scene).steps
        return Script((*steps, Reset()) if scene.variant == "reset" else steps)


def _open_call(scene: Scene) -> Opening:
    # Of several calls the first is the only one, so that the middle is not between two.
    first = replace(scene.answer, tool_calls=scene.answer.tool_calls[:1])
    scene = replace(scene, answer=first)
    pieces = scene.pieces()
    places = [at for at, piece in enumerate(pieces) if piece.kind is PieceKind.TOOL_CALL]
    if not places:  # Not streamed, or no call: there is still an answer to be cut.
        return open_reply(scene)
    return open_at(scene, pieces, places[(len(places) - 1) // 2] + 1)
