"""The connection breaks before any byte of a reply."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.script import Reset, Script


class ConnectionReset(Fault):
    """The upstream takes the request and breaks the connection with a RST.

    So do load balancers whose backend dies, and engines that are killed with requests in
    flight.

    Source: github.com/BerriAI/litellm/pull/38606 (transport errors before content).
    """

    name = "connection_reset"
    summary = "The connection is reset after the request, before any byte of a reply."
    taken_for = 500
    phase = Phase.BEFORE_FIRST_BYTE
    wordless = True

    def script(self, scene: Scene) -> Script:
        """Reset at once."""
        del scene
        return Script((Reset(),))
