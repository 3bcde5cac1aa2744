"""The surface chat_completions."""

from chaos.protocol.surfaces.chat_completions import ChatCompletionsSurface


def test_it_asks_as_openais_client_does():
    """The path is OpenAI's, and the key a bearer token."""
    surface = ChatCompletionsSurface()
    assert (
        surface.name,
        surface.path,
        surface.streams,
    ) == ("chat_completions", "/v1/chat/completions", True)
    assert surface.headers("sk-x") == {"Authorization": "Bearer sk-x"}


def test_it_speaks_its_own_format():
    """Requests and replies are written in the format of the same name."""
    assert ChatCompletionsSurface().format.name == "chat_completions"
