"""The answer is good, and begins too late."""

import re

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import good_head
from chaos.faults.script import Script, Send, Wait

USUAL_S = 35.0
"""Longer than the deadline for the first token that drills have by default, 30 s."""

_SECONDS = re.compile(r"seconds_(\d+)")


class SlowFirstToken(Fault):
    """A stream's head comes at once, its first event after a long pause; then all is well.

    So does an engine with a long queue or a cold cache. The variant ``seconds_N`` sets the
    pause. It strikes before the first byte, as a failure is felt: headers alone tell a user
    nothing, and a gateway can still change over.

    Source: github.com/BerriAI/litellm/issues/28216 (a timeout before the first chunk).
    """

    name = "slow_first_token"
    summary = f"The answer is good, but begins only after {USUAL_S:.0f} s."
    taken_for = 408
    phase = Phase.BEFORE_FIRST_BYTE
    variants = ("seconds_N",)

    def script(self, scene: Scene) -> Script:
        """Wait, then answer well."""
        wait = Wait(_pause_s(scene.variant))
        said = (Send(piece.data) for piece in scene.pieces())
        if scene.call.stream:
            return Script((good_head(scene), wait, *said))
        return Script((wait, good_head(scene), *said))


def _pause_s(variant: str | None) -> float:
    named = _SECONDS.fullmatch(variant or "")
    return float(named[1]) if named else USUAL_S
