"""Scenes for faults to play in: every dialect in every wire format that it speaks."""

from chaos.faults.fault import Scene
from chaos.faults.script import Head, Send
from chaos.protocol.conversation import Answer, Finish, ToolCall
from chaos.protocol.dialect import Call
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.formats import WIRE_FORMATS

NONCE = "3fa91c02"
TEXT = Answer(f"[claude, attempt 1] The token is {NONCE}, and the lamp is lit again.")
ARGUMENTS = f'{{"note": "{NONCE}", "count": 3, "tags": ["blue", "green"]}}'
CALLS = Answer(
    tool_calls=(
        ToolCall("call_1", "record_note", ARGUMENTS),
        ToolCall("call_2", "start_timer", f'{{"label": "{NONCE}"}}'),
    ),
    finish=Finish.TOOL_CALLS,
)
VECTORS = Answer(vectors=((0.5, 0.5), (0.5, -0.5)))
VOICES = [
    (name, spoken.name)
    for name, dialect in DIALECTS.items()
    for spoken in dialect.formats
    if "embed" not in spoken.name
]
"""Who speaks what; embeddings, which are never streamed, apart."""


def scene(voice=("openai", "chat_completions"), answer=TEXT, *, stream=True, variant=None):
    """Set a scene; by default OpenAI's, streamed."""
    dialect, spoken = voice
    call = Call(dialect, WIRE_FORMATS[spoken], "some-model", stream)
    return Scene(DIALECTS[dialect], call, answer, variant)


def head_of(script):
    """Tell the script's status and content type; None if it sends no head."""
    heads = [step for step in script.steps if isinstance(step, Head)]
    return (heads[0].status, dict(heads[0].headers)["content-type"]) if heads else None


def body_of(script):
    """Put together what the script sends."""
    return b"".join(step.data for step in script.steps if isinstance(step, Send))


def read(scene, script):
    """Read what the script sends as a strict client of that format would."""
    if not scene.call.stream:
        return scene.call.format.read_reply(200, body_of(script))
    reader = scene.call.format.stream_reader()
    reader.feed(body_of(script))
    return reader.close()
