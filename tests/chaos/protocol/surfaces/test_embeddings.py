"""The surface embeddings."""

from chaos.protocol.surfaces.embeddings import EmbeddingsSurface


def test_it_asks_as_openais_client_does():
    """The path is OpenAI's, and the key a bearer token."""
    surface = EmbeddingsSurface()
    assert (surface.name, surface.path, surface.streams) == ("embeddings", "/v1/embeddings", False)
    assert surface.headers("sk-x") == {"Authorization": "Bearer sk-x"}


def test_it_speaks_its_own_format():
    """Requests and replies are written in the format of the same name."""
    assert EmbeddingsSurface().format.name == "embeddings"
