"""The beginning of a good reply, for faults that break off once something has been said."""

from collections.abc import Iterable
from dataclasses import dataclass

from chaos.faults.fault import Scene
from chaos.faults.script import PACE_S, Head, Send, Step, Wait
from chaos.protocol.format import Piece, PieceKind

LEAST_OUTPUT_PIECES = 2
"""The first piece of output may be a bare beginning (``content_block_start``), without text."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A reply up to the middle of its output.

    Attributes:
        steps: The head, and what was said, at a pace at which each event arrives by itself.
        rest: What was left to say.
    """

    steps: tuple[Step, ...]
    rest: tuple[Piece, ...]


def good_head(scene: Scene) -> Head:
    """Begin as a provider does that is about to answer well."""
    return Head(200, (("content-type", scene.content_type),))


def open_reply(scene: Scene) -> Opening:
    """Begin the good reply and stop in the middle of its text; of its calls where it has none.

    A call that is not streamed although the client streams (LiteLLM 1.106.2 asks some Bedrock
    models so) stops in the middle of its body.
    """
    pieces = scene.pieces()
    if not scene.call.stream:
        body = b"".join(piece.data for piece in pieces)
        half = len(body) // 2
        said, rest = (Piece(PieceKind.CONTENT, part) for part in (body[:half], body[half:]))
        return Opening(paced(scene, (said,)), (rest,))
    return open_at(scene, pieces, middle_of_output(pieces))


def open_at(scene: Scene, pieces: tuple[Piece, ...], end: int) -> Opening:
    """Begin a streamed reply and stop before the piece at *end*."""
    return Opening(paced(scene, pieces[:end]), pieces[end:])


def middle_of_output(pieces: tuple[Piece, ...]) -> int:
    """Tell where the middle of the text is, or of the calls where there is no text."""
    for kind in (PieceKind.CONTENT, PieceKind.TOOL_CALL, PieceKind.REASONING):
        places = [place for place, piece in enumerate(pieces) if piece.kind is kind]
        if places:
            kept = min(len(places), max(LEAST_OUTPUT_PIECES, -(-len(places) // 2)))
            return places[kept - 1] + 1
    return len(pieces)


def paced(scene: Scene, pieces: Iterable[Piece]) -> tuple[Step, ...]:
    """Send *pieces* with a pause after each, the last one too."""
    steps: list[Step] = [good_head(scene)]
    for piece in pieces:
        steps += [Send(piece.data), Wait(PACE_S)]
    return tuple(steps)
