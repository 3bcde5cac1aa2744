"""A 200 whose body is an error."""

import json

import pytest

from chaos.faults.kinds.error_200 import Error200
from tests.fakes.scenes import VOICES, body_of, head_of, read, scene


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("voice", VOICES)
def test_a_json_error_comes_with_status_200(voice, stream):
    """Who asked for a stream gets JSON as well; no output is in it."""
    on_stage = scene(voice, stream=stream)
    script = Error200().script(on_stage)
    assert head_of(script) == (200, "application/json")
    assert isinstance(json.loads(body_of(script)), dict)
    assert not read(on_stage, script).has_output


def test_the_variant_is_told():
    """OpenRouter says in a 200 that there are no credits left."""
    body = body_of(Error200().script(scene(("openrouter", "chat_completions"), variant="billing")))
    assert json.loads(body)["error"]["code"] == 402
