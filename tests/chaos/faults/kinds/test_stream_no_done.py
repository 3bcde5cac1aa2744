"""A whole streamed answer without its closing event."""

import pytest

from chaos.faults.kinds.stream_no_done import StreamNoDone
from chaos.faults.script import Silence
from chaos.protocol.format import PieceKind
from chaos.protocol.reading import Defect
from tests.fakes.scenes import TEXT, VOICES, body_of, read, scene


@pytest.mark.parametrize("voice", VOICES)
def test_the_whole_text_is_there(voice):
    """Nothing that a user would read is missing."""
    on_stage = scene(voice)
    assert read(on_stage, StreamNoDone().script(on_stage)).text == TEXT.text


def test_only_the_terminator_is_missing():
    """The finish reason has come; there is no other defect."""
    reading = read(scene(), StreamNoDone().script(scene()))
    assert reading.finish is not None
    assert [found.defect for found in reading.defects] == [Defect.NO_TERMINATOR]


def test_nothing_but_the_end_is_left_out():
    """All pieces of the good reply are sent, in their order, save those of its end."""
    said = b"".join(p.data for p in scene().pieces() if p.kind is not PieceKind.END)
    assert body_of(StreamNoDone().script(scene())) == said


def test_left_open_it_never_ends():
    """The variant keeps the connection; only the finish reason tells that all was said."""
    assert StreamNoDone().script(scene(variant="open")).steps[-1] == Silence()
    assert Silence() not in StreamNoDone().script(scene()).steps
