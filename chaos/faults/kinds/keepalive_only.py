"""A stream that is kept alive and never says anything."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import good_head
from chaos.faults.script import Repeat, Script, Silence

EVERY_S = 1.0
COMMENT = b": keep-alive\n\n"
PING = b'event: ping\ndata: {"type": "ping"}\n\n'
EMPTY_LINE = b"\n"


class KeepaliveOnly(Fault):
    """Comments come for ever, or ``ping`` events with the variant ``ping``.

    So do providers with a full queue. Bytes arrive, so no timeout between bytes ever strikes;
    only one for the first token does. Where a streamed request reaches the provider as a whole
    one, the same is done with empty lines before the JSON. A binary framing has no such thing:
    there the head comes, and then silence.

    It is a 2xx that is none: the head says success, and nothing of an answer was said.

    Source: openrouter.ai/docs, "Streaming" (``: OPENROUTER PROCESSING``); Anthropic's streaming
    guide (``event: ping``); api-docs.deepseek.com, "Rate Limit" (``: keep-alive``, empty lines).
    """

    name = "keepalive_only"
    summary = "The stream begins, and only comments or pings come, for ever."
    taken_for = 408
    phase = Phase.IN_2XX
    streams_only = True
    chats_only = True
    variants = ("ping",)

    def script(self, scene: Scene) -> Script:
        """Keep the stream alive, and say nothing."""
        if not scene.call.stream:
            return Script((good_head(scene), Repeat(EMPTY_LINE, EVERY_S)))
        if not scene.content_type.startswith("text/event-stream"):
            return Script((good_head(scene), Silence()))
        data = PING if scene.variant == "ping" else COMMENT
        return Script((good_head(scene), Repeat(data, EVERY_S)))
