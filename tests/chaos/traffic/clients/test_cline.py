"""Cline asks LiteLLM itself to drop what a hop does not take."""

from chaos.traffic.clients.cline import CLINE


def test_it_brings_its_own_drop_params():
    """No setting of the gateway is needed for it."""
    assert CLINE.parameters_for("chat_completions", "x", "any")["drop_params"] is True
