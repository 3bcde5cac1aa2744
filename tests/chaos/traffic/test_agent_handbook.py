"""A long system prompt."""

from chaos.protocol.schema_example import find_nonce
from chaos.traffic.agent_handbook import handbook


def test_it_is_as_long_as_asked():
    """It ends with the rule that fills it up."""
    assert 10_000 <= len(handbook(10_000)) < 10_500


def test_no_two_rules_are_alike():
    """A prompt that repeats itself would be cheaper than a real one."""
    rules = [line.split(". ", 1)[1] for line in handbook(48_000).splitlines() if line[:1].isdigit()]
    assert len(rules) > 200
    assert len(set(rules)) == len(rules)


def test_nothing_in_it_looks_like_a_nonce_or_a_call():
    """The prompt of the user stays the only one that demands something."""
    text = handbook(48_000)
    assert find_nonce(text) is None
    assert "{" not in text
