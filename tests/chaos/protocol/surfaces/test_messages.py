"""The surface messages."""

from chaos.protocol.surfaces.messages import MessagesSurface


def test_it_asks_as_anthropics_client_does():
    """The path is Anthropic's, the key has a header of its own, and the version is named."""
    surface = MessagesSurface()
    assert (surface.name, surface.path, surface.streams) == ("messages", "/v1/messages", True)
    assert surface.headers("sk-x") == {"x-api-key": "sk-x", "anthropic-version": "2023-06-01"}


def test_it_speaks_its_own_format():
    """Requests and replies are written in the format of the same name."""
    assert MessagesSurface().format.name == "messages"
