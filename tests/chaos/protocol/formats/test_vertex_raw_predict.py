"""Anthropic's Messages API on Vertex AI."""

from chaos.protocol.conversation import Ask, Turn
from chaos.protocol.formats.vertex_raw_predict import VertexRawPredict

# As LiteLLM 1.106.2 sent it for vertex_ai/claude-sonnet-4@20250514.
BODY = {
    "messages": [{"role": "user", "content": [{"type": "text", "text": "hi 1f2e3d4c"}]}],
    "max_tokens": 16,
    "anthropic_version": "vertex-2023-10-16",
    "stream": True,
}


def test_litellms_own_request_is_read():
    """It names no model."""
    ask = VertexRawPredict().read_ask(BODY)
    assert (ask.text, ask.max_tokens) == ("hi 1f2e3d4c", 16)


def test_the_version_stands_in_the_place_of_the_model():
    """The model is in the address."""
    ask = Ask(turns=(Turn("user", "hi"),), max_tokens=16)
    body = VertexRawPredict().write_ask(ask, model="m", stream=True)
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in body
    assert body["stream"] is True
