"""A hop that must be asked for real has a known address, or there is an objection."""

import pytest

from chaos.drill.forwardable import address_objection
from tests.fakes.topologies import group


def test_a_known_address_is_no_objection():
    """The usual local engine."""
    assert address_objection(group("gemma", litellm_model="hosted_vllm/gemma")) is None


@pytest.mark.parametrize(
    ("changes", "remedy"),
    [
        ({"litellm_model": "hosted_vllm/gemma"}, "--engine gemma=http://HOST:PORT"),
        (
            {"litellm_model": "ollama_chat/llama3.2", "local": True},
            "--engine gemma=http://localhost:11434",
        ),
        ({"litellm_model": "openai/gpt"}, 'providers: {openai: "https://api.openai.com/v1"}'),
    ],
)
def test_an_unknown_address_says_how_to_name_it(changes, remedy):
    """An engine by its URL, a provider by its prefix; nothing is guessed."""
    found = address_objection(group("gemma", base_url=None, **changes))
    assert found is not None
    assert "is not known" in found.reason
    assert remedy in found.remedy


def test_a_name_without_an_address_here_is_never_a_pass():
    """A Compose neighbour: the gateway reaches it and this machine does not."""
    base = "http://vllm:8000/v1"
    found = address_objection(
        group("gemma", litellm_model="hosted_vllm/gemma", base_url=base, resolves=False)
    )
    assert found is not None
    assert found.kind == "hop_not_forwardable"
    assert base in found.reason
    assert "--engine gemma=" in found.remedy
