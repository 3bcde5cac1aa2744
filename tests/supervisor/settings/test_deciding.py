"""Two configurations differ where they decide how drills end, and say so."""

import pytest

from supervisor.settings.deciding import DECIDING, differences, said
from supervisor.settings.model import Settings

EXPECT = [{"scenario": "claude/*", "outcome": "refused", "reason": "policy"}]


def settings(**sections) -> Settings:
    """What a file says."""
    return Settings.model_validate(sections)


def test_only_what_a_file_says_itself_is_listed():
    """Its keys alone, as JSON has them."""
    mine = settings(drills={"deadline_s": 5}, expect=EXPECT, web={"listen": ["127.0.0.1:1"]})
    assert said(mine) == {"drills.deadline_s": 5.0, "expect": EXPECT}
    assert said(settings()) == {}
    assert said(settings(drills={})) == {}


def test_a_section_that_decides_is_one_of_the_configuration():
    """None is misspelt."""
    assert set(DECIDING) <= set(Settings.model_fields)


@pytest.mark.parametrize(
    "sections",
    [
        {"drills": {"deadline_s": 60}},  # what the other one has by default
        {"expect": EXPECT},
        {"accept": [{"scenario": "a/*", "until": "2099-01-01", "reason": "x"}]},
        {"engines": {"gemma": {"url": "http://g", "key": {"env": "K"}}}, "paid": ["a"]},
        {"wildcards": {"openai/*": "openai/gpt"}, "providers": {"openai": "http://o"}},
    ],
)
def test_the_same_words_do_not_differ(sections):
    """Also where the other says more."""
    assert differences(said(settings(**sections)), settings(**sections)) == []
    assert differences({}, settings(**sections)) == []


@pytest.mark.parametrize(
    ("mine", "theirs", "told"),
    [
        (
            {"drills": {"deadline_s": 0.1}},
            {},
            "drills.deadline_s is 60.0 there and 0.1 here",
        ),
        ({"expect": EXPECT}, {}, "expect says something else there"),
        ({"expect": []}, {"expect": EXPECT}, "expect says something else there"),
        ({"drills": {"injector": "twin"}}, {}, "drills.injector is auto there and twin here"),
    ],
)
def test_other_words_are_named_with_both_values(mine, theirs, told):
    """A list is only named: it may be long."""
    assert differences(said(settings(**mine)), settings(**theirs)) == [told]


def test_a_key_that_the_other_does_not_know_differs():
    """A newer command has more of them."""
    told = differences({"drills.new": 1}, settings())
    assert told == ["drills.new is not set there and 1 here"]
