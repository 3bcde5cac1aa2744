"""The upstream takes the request and says nothing."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.script import Script, Silence


class Hang(Fault):
    """Not even headers come, for as long as the caller waits.

    So does an engine whose process stands still while its port listens (a stopped or deadlocked
    vLLM engine core), and a provider that swallows an error of its own.

    Source: github.com/BerriAI/litellm/issues/36650 (zero bytes for ever, no log line); vLLM
    0.32.0 with its engine core stopped by SIGSTOP. LiteLLM 1.106.2 waits 6,000 s by default.
    """

    name = "hang"
    summary = "The provider takes the request and never says anything, not even headers."
    taken_for = 408
    phase = Phase.BEFORE_FIRST_BYTE
    wordless = True

    def script(self, scene: Scene) -> Script:
        """Say nothing until the caller leaves."""
        del scene
        return Script((Silence(),))
