"""An answer of good form that says nothing."""

from dataclasses import replace

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import good_head
from chaos.faults.script import Script, Send
from chaos.protocol.conversation import Finish


class Empty200(Fault):
    """A 200 that ends well, with neither text nor calls; for embeddings, without vectors.

    So do models whose whole answer was taken for reasoning or for a broken call, and providers
    that lose a candidate. Every signal is green, and the user has nothing.

    Source: github.com/BerriAI/litellm/issues/14655, #32086; github.com/vllm-project/vllm/pull/42635
    (5 of 100 answers silently empty).
    """

    name = "empty_200"
    summary = "A 200 of good form with neither text nor calls."
    phase = Phase.IN_2XX

    def script(self, scene: Scene) -> Script:
        """Answer well, with nothing."""
        nothing = replace(
            scene.answer,
            text="",
            reasoning="",
            tool_calls=(),
            vectors=(),
            finish=Finish.STOP,
            output_tokens=0,
        )
        empty = replace(scene, answer=nothing)
        return Script((good_head(scene), *(Send(piece.data) for piece in empty.pieces())))
