"""A whole streamed answer lacks only its closing event."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import paced
from chaos.faults.script import Script, Silence
from chaos.protocol.format import PieceKind


class StreamNoDone(Fault):
    """Everything is said, the finish reason too; then the stream ends without its terminator.

    So do servers that imitate an API by its chunks alone. A good client takes the answer, and
    promptly: nothing of it is missing. With the variant ``open`` the connection stays open, and
    only a client that heeds the finish reason is prompt. It strikes after the first byte. Where
    a format has no closing event (Gemini's), the reply is simply whole.

    Source: github.com/huggingface/text-generation-inference/issues/1896,
    github.com/mlc-ai/mlc-llm/issues/1300, github.com/ikawrakow/ik_llama.cpp/issues/467; left
    open: github.com/cohere-ai/cohere-python/issues/756, github.com/waybarrios/vllm-mlx/issues/101.
    """

    name = "stream_no_done"
    summary = "A whole streamed answer that lacks only its closing event."
    phase = Phase.AFTER_FIRST_BYTE
    streams_only = True
    chats_only = True
    variants = ("open",)

    def script(self, scene: Scene) -> Script:
        """Say everything but the end."""
        said = (piece for piece in scene.pieces() if piece.kind is not PieceKind.END)
        steps = paced(scene, said)
        return Script((*steps, Silence()) if scene.variant == "open" else steps)
