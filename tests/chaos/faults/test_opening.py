"""The first half of a good reply."""

import json

import pytest

from chaos.faults.opening import good_head, middle_of_output, open_at, open_reply, paced
from chaos.faults.script import PACE_S, Head, Script, Send, Wait
from chaos.protocol.format import Piece, PieceKind
from tests.fakes.scenes import CALLS, TEXT, VOICES, body_of, read, scene


def pieces(*kinds):
    """Make pieces of *kinds*, numbered."""
    return tuple(Piece(kind, str(at).encode()) for at, kind in enumerate(kinds))


START, TEXT_KIND, CALL, END = (
    PieceKind.START,
    PieceKind.CONTENT,
    PieceKind.TOOL_CALL,
    PieceKind.END,
)


@pytest.mark.parametrize(
    ("kinds", "middle"),
    [
        ((START, TEXT_KIND, TEXT_KIND, TEXT_KIND, TEXT_KIND, END), 3),
        ((START, TEXT_KIND, TEXT_KIND, TEXT_KIND, TEXT_KIND, TEXT_KIND, TEXT_KIND, END), 4),
        ((START, TEXT_KIND, TEXT_KIND, END), 3),
        ((START, TEXT_KIND, END), 2),
        ((START, TEXT_KIND, TEXT_KIND, TEXT_KIND, CALL, CALL, CALL, END), 3),
        ((START, CALL, CALL, CALL, CALL, END), 3),
        ((START, PieceKind.REASONING, PieceKind.REASONING, END), 3),
        ((START, END), 2),
    ],
)
def test_the_middle_is_in_the_text_and_after_two_pieces_of_it(kinds, middle):
    """Text goes before calls, calls before reasoning; without output there is no middle."""
    assert middle_of_output(pieces(*kinds)) == middle


@pytest.mark.parametrize("voice", VOICES)
def test_half_of_the_text_is_said(voice):
    """A client has read some of the text and not all of it, and no end."""
    on_stage = scene(voice)
    reading = read(on_stage, Script(open_reply(on_stage).steps))
    assert reading.text
    assert TEXT.text.startswith(reading.text)
    assert len(reading.text) < len(TEXT.text)
    assert reading.finish is None


@pytest.mark.parametrize("voice", VOICES)
@pytest.mark.parametrize("answer", [TEXT, CALLS])
def test_opening_and_rest_are_the_whole_reply(voice, answer):
    """Nothing is lost between what was said and what was left."""
    on_stage = scene(voice, answer)
    opening = open_reply(on_stage)
    rest = b"".join(piece.data for piece in opening.rest)
    whole = b"".join(piece.data for piece in on_stage.pieces())
    assert body_of(Script(opening.steps)) + rest == whole


def test_every_event_is_followed_by_a_pause():
    """Without one an event can arrive with what breaks after it, and count as never sent."""
    head, *steps = open_reply(scene()).steps
    assert isinstance(head, Head)
    assert [type(step) for step in steps] == [Send, Wait] * (len(steps) // 2)
    assert {step.seconds for step in steps if isinstance(step, Wait)} == {PACE_S}


def test_a_whole_body_is_halved():
    """A reply that is not streamed stops in the middle of its JSON."""
    script = Script(open_reply(scene(stream=False)).steps)
    assert body_of(script).startswith(b"{")
    with pytest.raises(json.JSONDecodeError):
        json.loads(body_of(script))


def test_it_can_stop_anywhere():
    """The caller names the piece before which it stops."""
    two = pieces(START, TEXT_KIND)
    opening = open_at(scene(), two, 1)
    assert opening.rest == two[1:]
    assert opening.steps == paced(scene(), two[:1])
    assert opening.steps[0] == good_head(scene())
