"""A stream begins with 200, and its first event is an error."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import good_head
from chaos.faults.provider_error import ERROR_VARIANTS, told_error, whole_error
from chaos.faults.script import Script, Send


class StreamErrorFirst(Fault):
    """The status was sent before the provider knew that it would fail.

    The variant names which of its errors it tells (``stream_error_first.billing``); by default
    it is overloaded. Nothing of an answer was said, so the next hop must be tried: this is a
    2xx that is none.

    Source: github.com/BerriAI/litellm/issues/5512, #6532, #8632, #28599, #40578;
    github.com/anthropics/anthropic-sdk-python/issues/688.
    """

    name = "stream_error_first"
    summary = "The stream begins with 200, and its first event is the provider's error."
    phase = Phase.IN_2XX
    streams_only = True
    chats_only = True
    variants = ERROR_VARIANTS

    def script(self, scene: Scene) -> Script:
        """Send the error as the first event, and end."""
        if not scene.call.stream:
            return whole_error(scene)
        event = scene.call.format.write_error_event(told_error(scene))
        return Script((good_head(scene), Send(event)))
