"""Lists of plugins and their error texts."""

from dataclasses import dataclass

import pytest

from chaos.errors import UsageError
from chaos.registry import index, lookup, suggestion


@dataclass(frozen=True)
class Plugin:
    """Something with a name."""

    name: str


def test_index_keeps_the_order_of_registration():
    """Output and precedence follow the order of the list, not the alphabet."""
    assert list(index(Plugin("b"), Plugin("a"))) == ["b", "a"]


def test_two_entries_of_one_name_are_a_bug():
    """A second entry must not silently replace the first."""
    with pytest.raises(ValueError, match="'a' is registered twice"):
        index(Plugin("a"), Plugin("a"))


def test_an_unknown_name_is_answered_with_the_nearest():
    """A typo is told apart from a wish for something that does not exist."""
    with pytest.raises(UsageError) as caught:
        lookup("fault", "biling", index(Plugin("billing"), Plugin("hang")))
    assert caught.value.message == "'biling' is not a fault"
    assert caught.value.remedy == "Did you mean 'billing'?"


def test_a_suggestion_is_spelt_as_the_name_is():
    """Names with capital letters can be copied from the remedy."""
    with pytest.raises(UsageError) as caught:
        lookup("model group", "Claude-Opux", {"Claude-Opus": 1})
    assert caught.value.remedy == "Did you mean 'Claude-Opus'?"


def test_a_name_like_nothing_is_answered_with_the_list():
    """Where no name is near, people want to see what there is."""
    assert suggestion("zzz", ["billing", "hang"]) == "one of: billing, hang"
    assert suggestion("zzz", []) == "there is none"
