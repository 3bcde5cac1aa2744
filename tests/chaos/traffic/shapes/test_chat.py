"""Plain chat."""

from chaos.traffic.shapes.chat import Chat


def test_it_asks_for_the_nonce_and_offers_nothing():
    """One user turn, no tools; the nonce should come back."""
    task = Chat().task("3fa91c02", max_tokens=5)
    assert [turn.role for turn in task.ask.turns] == ["user"]
    assert task.ask.tools == ()
    assert task.expect.nonce_in_text
