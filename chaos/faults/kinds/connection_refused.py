"""Nobody listens at the upstream's address."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.script import Reset, Script


class ConnectionRefused(Fault):
    """The address refuses the connection itself.

    So do an engine that is not running, a container that is being restarted, and a wrong port.
    Only an address of its own can refuse, so this exists in the twin alone: the port is bound
    and does not listen. A witness that is reached nevertheless resets, the nearest it can do.

    Source: general knowledge; a stopped vLLM 0.32.0 gives ``Connection refused``.
    """

    name = "connection_refused"
    summary = "Nobody listens at the provider's address (twin only)."
    taken_for = 500
    phase = Phase.BEFORE_FIRST_BYTE
    wordless = True
    twin_only = True

    def script(self, scene: Scene) -> Script:
        """Reset, because the address itself refuses before any script is played."""
        del scene
        return Script((Reset(),))
