"""Asks in neutral form."""

from chaos.protocol.conversation import Ask, Turn


def test_the_text_of_an_ask_is_all_that_a_nonce_may_hide_in():
    """Turns and inputs alike: the witness looks for the nonce in the whole request."""
    ask = Ask(turns=(Turn("system", "a"), Turn("user", "b"), Turn("tool", "c")), inputs=("d",))
    assert ask.text == "a\nb\nc\nd"


def test_an_ask_without_words_has_no_text():
    """Nothing is made up."""
    assert Ask().text == ""
