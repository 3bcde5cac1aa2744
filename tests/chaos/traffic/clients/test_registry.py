"""What every client of the registry keeps."""

import json

import pytest

from chaos.protocol.surfaces import SURFACES
from chaos.traffic.client import SESSION
from chaos.traffic.clients import CLIENTS
from chaos.traffic.every_shape import EVERY_SHAPE
from supervisor.settings.client_profile import ClientProfileFile

every = pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)


def facts(client):
    """List each header and parameter of *client*."""
    return [*client.headers.values(), *(s for part in client.asks.values() for s in part.values())]


@every
def test_each_fact_has_its_source(client):
    """A guess says that it is one; everything else can be looked up."""
    assert all(len(sent.source) > 8 for sent in facts(client))
    assert any(not sent.unconfirmed for sent in facts(client))
    assert client.summary.endswith(".")


@every
def test_it_asks_on_surfaces_that_exist_and_says_who_it_is(client):
    """LiteLLM treats some clients by their user agent, so that none may be without."""
    assert client.surfaces
    assert set(client.surfaces) <= SURFACES.keys()
    assert client.user_agent


@every
def test_its_headers_and_parameters_are_what_a_profile_may_say(client):
    """They can be sent: a profile's file is held to the same."""
    headers = client.headers_for("7f3a91c2")
    parameters = client.parameters_for(client.usual_surface, "7f3a91c2", "gpt-5")
    read = ClientProfileFile(headers=headers, parameters=parameters)
    assert read.headers == headers
    assert json.loads(json.dumps(parameters)) == parameters


@every
@pytest.mark.parametrize("stream", [True, False])
def test_a_request_carries_its_parameters_and_no_others(client, stream):
    """No limit, temperature or key of ours goes out with it: those are what fallbacks refuse."""
    for surface in client.surfaces:
        task = EVERY_SHAPE[f"agent.{client.name}"].task_on(
            surface, "7f3a91c2", model="gpt-5", max_tokens=512
        )
        spoken = SURFACES[surface].format
        body = spoken.write_ask(task.ask, model="m", stream=stream)
        asked = client.parameters_for(surface, "7f3a91c2", "gpt-5")
        assert asked.keys() == client.asks[surface].keys()
        assert asked.items() <= body.items()
        ours = {"model", "stream", "stream_options", "messages", "input", "tools", "tool_choice"}
        assert body.keys() - asked.keys() <= ours | {"system", "instructions"}
        assert "7f3a91c2" in spoken.read_ask(body).text
        assert task.headers == client.headers_for("7f3a91c2")


@every
def test_every_request_is_a_session_of_its_own(client):
    """A gateway that keeps a session at its deployment must not keep all drills there."""
    one, other = (json.dumps(_all(client, nonce)) for nonce in ("7f3a91c2", "0badcafe"))
    assert SESSION not in one
    assert "7f3a91c2" not in one
    assert (one != other) == (SESSION in json.dumps([sent.value for sent in facts(client)]))


def _all(client, nonce):
    asked = [client.parameters_for(surface, nonce, "gpt-5") for surface in client.surfaces]
    return [client.headers_for(nonce), *asked]
