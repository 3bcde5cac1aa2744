"""Codex asks without a store, and is recognised."""

import re

from chaos.traffic.clients.codex import CODEX


def test_litellm_takes_it_for_codex():
    """By this pattern LiteLLM drops what a provider does not take (``is_codex_user_agent``)."""
    assert re.match(r"^codex[-_ /]", CODEX.user_agent, re.IGNORECASE)


def test_what_is_not_stored_is_sent_encrypted():
    """Without a store its reasoning comes back with each turn."""
    asked = CODEX.parameters_for("responses", "7f3a91c2", "gpt")
    assert asked["store"] is False
    assert asked["include"] == ["reasoning.encrypted_content"]
