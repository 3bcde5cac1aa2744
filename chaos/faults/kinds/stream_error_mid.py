"""A stream tells an error in the middle of the answer."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.opening import open_reply
from chaos.faults.provider_error import ERROR_VARIANTS, told_error, whole_error
from chaos.faults.script import Script, Send


class StreamErrorMid(Fault):
    """After half of the text the provider's error comes as an event, and the stream ends.

    The variant names which error; by default it is overloaded. The user has read the first
    half, so one honest error is the good end.

    Source: github.com/BerriAI/litellm/issues/4562, #6957, #24004 (510 such events in 80 minutes,
    counted as successes).
    """

    name = "stream_error_mid"
    summary = "In the middle of a streamed answer the provider's error comes as an event."
    phase = Phase.AFTER_FIRST_BYTE
    streams_only = True
    chats_only = True
    variants = ERROR_VARIANTS

    def script(self, scene: Scene) -> Script:
        """Say half, then the error, and end."""
        if not scene.call.stream:
            return whole_error(scene)
        event = scene.call.format.write_error_event(told_error(scene))
        return Script((*open_reply(scene).steps, Send(event)))
