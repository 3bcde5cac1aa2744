"""The surface responses."""

from chaos.protocol.surfaces.responses import ResponsesSurface


def test_it_asks_as_openais_client_does():
    """The path is OpenAI's, and the key a bearer token."""
    surface = ResponsesSurface()
    assert (surface.name, surface.path, surface.streams) == ("responses", "/v1/responses", True)
    assert surface.headers("sk-x") == {"Authorization": "Bearer sk-x"}


def test_it_speaks_its_own_format():
    """Requests and replies are written in the format of the same name."""
    assert ResponsesSurface().format.name == "responses"
