"""An engine's key goes to that engine alone."""

from chaos.drill.engine_keys import keys_by_address
from tests.fakes.topologies import topology

GATEWAY = topology({"claude": ["local-gemma"]})


def test_an_engines_key_is_for_its_own_addresses():
    """Where the gateway has it and where we reach it, and nowhere else."""
    urls = {"local-gemma": "http://127.0.0.1:9000", "open": "http://127.0.0.1:9001"}
    assert keys_by_address(GATEWAY, urls, {"local-gemma": "sk-engine"}) == {
        "127.0.0.1:9000": "sk-engine",
        "127.0.0.1:8000": "sk-engine",
    }


def test_a_key_for_a_paid_group_goes_nowhere():
    """Its provider has a key of its own, which LiteLLM holds."""
    assert keys_by_address(GATEWAY, {}, {"claude": "sk-engine"}) == {}
