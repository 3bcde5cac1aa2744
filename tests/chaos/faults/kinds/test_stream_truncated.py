"""A stream that ends cleanly in the middle."""

import pytest

from chaos.faults.kinds.stream_truncated import StreamTruncated
from chaos.protocol.reading import Defect
from tests.fakes.scenes import VOICES, read, scene


@pytest.mark.parametrize("voice", VOICES)
def test_only_the_missing_end_gives_it_away(voice):
    """Every event is good; finish and terminator are missing."""
    on_stage = scene(voice)
    reading = read(on_stage, StreamTruncated().script(on_stage))
    assert reading.text
    assert reading.finish is None
    assert reading.error is None
    assert not reading.has(Defect.EVENT_NOT_JSON, Defect.TRUNCATED_EVENT)
    assert reading.has(Defect.NO_FINISH, Defect.NO_TERMINATOR)
