"""Hermes asks for effort, and leaves the length of the answer to the hop."""

from chaos.traffic.clients.hermes import HERMES


def test_it_sets_no_limit():
    """An engine's own default length counts, whatever that is."""
    assert HERMES.parameters_for("chat_completions", "x", "any") == {"reasoning_effort": "medium"}
