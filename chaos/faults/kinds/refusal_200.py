"""A 200 in which a content filter refuses to answer."""

from dataclasses import replace

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import good_head
from chaos.faults.script import Script, Send
from chaos.protocol.conversation import Finish


class Refusal200(Fault):
    """A good form, an empty text, and a finish reason that says: filtered, or refused.

    So do Azure's filter of completions, Anthropic's safeguards (``stop_reason: refusal``), and
    Gemini's safety settings. The request was fine for the next hop, and the user gets nothing.

    Source: github.com/BerriAI/litellm/issues/8953, #33294, #40857, pull/39157.
    """

    name = "refusal_200"
    summary = "A 200 without text whose finish reason says: filtered, or refused."
    phase = Phase.IN_2XX
    chats_only = True

    def script(self, scene: Scene) -> Script:
        """Refuse in good form."""
        refused = replace(
            scene.answer,
            text="",
            reasoning="",
            tool_calls=(),
            finish=Finish.CONTENT_FILTER,
            output_tokens=0,
        )
        said = replace(scene, answer=refused).pieces()
        return Script((good_head(scene), *(Send(piece.data) for piece in said)))
