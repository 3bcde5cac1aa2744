"""A 200 that is a web page."""

import pytest

from chaos.faults.kinds.html_200 import Html200
from tests.fakes.scenes import VOICES, head_of, read, scene


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("voice", VOICES)
def test_a_page_is_no_answer(voice, stream):
    """A strict client finds a defect and no output behind the success."""
    on_stage = scene(voice, stream=stream)
    script = Html200().script(on_stage)
    reading = read(on_stage, script)
    assert head_of(script) == (200, "text/html; charset=utf-8")
    assert reading.defects
    assert not reading.has_output
