"""A stream falls silent in the middle of the answer."""

import re

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import open_reply
from chaos.faults.script import Close, Script, Silence, Wait

_SECONDS = re.compile(r"seconds_(\d+)")


class StreamStall(Fault):
    """After half of the text nothing comes any more, and the connection stays open.

    So does an engine that stops in the middle of its work. Somebody has to give up, and say so.
    With the variant ``seconds_N`` the upstream gives up itself: after so long it closes the
    connection, and the last chunk of the body is missing.

    Source: vLLM 0.32.0 with its engine core stopped by SIGSTOP while it streamed; LiteLLM
    1.106.2 waits 6,000 s by default.
    """

    name = "stream_stall"
    summary = "The stream falls silent in the middle of the answer, and stays open."
    taken_for = 408
    phase = Phase.AFTER_FIRST_BYTE
    streams_only = True
    chats_only = True
    variants = ("seconds_N",)

    def script(self, scene: Scene) -> Script:
        """Say half, then nothing until somebody leaves."""
        steps = open_reply(scene).steps
        named = _SECONDS.fullmatch(scene.variant or "")
        if named:
            return Script((*steps, Wait(float(named[1])), Close()))
        return Script((*steps, Silence()))
