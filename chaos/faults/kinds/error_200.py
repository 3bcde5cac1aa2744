"""A 200 whose body is an error."""

from chaos.faults.fault import Fault, Phase, Scene
from chaos.faults.provider_error import ERROR_VARIANTS, whole_error
from chaos.faults.script import Script


class Error200(Fault):
    """The provider's error comes as a JSON body with status 200, also to who wants a stream.

    So does OpenRouter when it fails after it has begun, and every API behind a proxy that
    answers 200 to everything. The variant names which error; by default it is overloaded. An
    error as the first event of a stream is ``stream_error_first``.

    Source: openrouter.ai/docs/errors; github.com/BerriAI/litellm/issues/9035, #25492.
    """

    name = "error_200"
    summary = "A 200 whose JSON body is the provider's error."
    phase = Phase.IN_2XX
    variants = ERROR_VARIANTS

    def script(self, scene: Scene) -> Script:
        """Answer 200 with the error."""
        return whole_error(scene)
