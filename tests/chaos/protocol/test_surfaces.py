"""What every surface keeps."""

import pytest

from chaos.protocol.formats import WIRE_FORMATS
from chaos.protocol.surfaces import SURFACES
from chaos.witness.wire_record import redact_headers

every = pytest.mark.parametrize("surface", SURFACES.values(), ids=SURFACES)


def test_there_are_four_surfaces():
    """The contract names four, in this order."""
    assert list(SURFACES) == ["chat_completions", "messages", "responses", "embeddings"]


@every
def test_a_surface_is_listed_by_its_name_and_speaks_a_listed_format(surface):
    """Names on the command line, in the registry and on the surface are one."""
    assert SURFACES[surface.name] is surface
    assert surface.format.name in WIRE_FORMATS


@every
def test_a_path_goes_below_the_gateways_url(surface):
    """A path begins with a slash and ends without one, so that it can be joined."""
    assert surface.path.startswith("/v1/")
    assert not surface.path.endswith("/")


@every
def test_the_key_is_sent_where_redaction_finds_it(surface):
    """A key stands in a header whose value never gets into a record."""
    headers = surface.headers("sk-secret")
    assert any("sk-secret" in value for value in headers.values())
    assert not any("sk-secret" in value for value in redact_headers(headers).values())


@pytest.mark.parametrize(
    ("name", "path", "streams"),
    [
        ("chat_completions", "/v1/chat/completions", True),
        ("messages", "/v1/messages", True),
        ("responses", "/v1/responses", True),
        ("embeddings", "/v1/embeddings", False),
    ],
)
def test_each_is_asked_where_and_how_its_clients_do(name, path, streams):
    """OpenAI's clients send a bearer token, Anthropic's a header of their own and a version."""
    surface = SURFACES[name]
    assert (surface.path, surface.streams, surface.format.name) == (path, streams, name)
    anthropic = {"x-api-key": "sk-x", "anthropic-version": "2023-06-01"}
    wanted = anthropic if name == "messages" else {"Authorization": "Bearer sk-x"}
    assert surface.headers("sk-x") == wanted
