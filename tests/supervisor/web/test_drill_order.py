"""A drill request in JSON says what the command line's options say."""

import inspect

import pytest
from pydantic import ValidationError

from chaos.scenario.expand import Profile, Selection
from supervisor.cli.commands.drill import drill
from supervisor.web.drill_order import DrillOrder

# What says where the command line looks, or how it prints; or needs this process: a twin,
# or a key that only this process is given.
NOT_ORDERED = {
    *("access", "local", "list_only", "output", "summary", "format_", "both"),
    *("litellm_config", "litellm_bin", "litellm_image", "litellm_version"),
    *("witness_listen", "witness_url", "as_key"),
    # Of an outage, which needs a twin of one's own.
    *("every", "recover_within"),
}
CALLED_ELSE = {
    "deadline": "deadline_s",
    "as_client": "client",
    "no_known_gaps": "known_gaps",
    "engine": "engines",
    **{name: f"{name}s" for name in ("group", "fault", "shape", "surface")},
}


def test_every_option_of_the_command_line_can_be_ordered():
    """A new one is ordered too, or said not to be."""
    options = set(inspect.signature(drill).parameters) - NOT_ORDERED
    ordered = set(DrillOrder.model_fields) - {"configured"}  # which the file says
    assert {CALLED_ELSE.get(name, name) for name in options} == ordered


def test_what_an_order_says_itself_is_not_said_by_the_file_too():
    """An option is meant instead of the file."""
    order = DrillOrder.model_validate(
        {"deadline_s": 5, "profile": "full", "engines": {"a": "http://a"}}
    )
    rest = {"drills.first_token_s": 3, "expect": []}
    said = {"drills.deadline_s": 9, "drills.profile": "smoke", "engines": {}, **rest}
    assert order.left_of(said) == rest
    assert DrillOrder().left_of(said) == said


def test_nothing_said_means_as_usual():
    """An empty order is the whole of the daemon's own profile, by its own settings."""
    assert DrillOrder().selection(Profile.FULL) == Selection(profile=Profile.FULL)
    assert DrillOrder().overlay() == {}


def test_what_is_said_is_laid_over_the_daemons_settings():
    """And selects what is drilled."""
    order = DrillOrder.model_validate(
        {
            "groups": ["claude"],
            "faults": ["rate_limit.retry_after_20"],
            "depth": 2,
            "stream": True,
            "profile": "full",
            "deadline_s": 5,
            "real_keys": True,
        }
    )
    selection = order.selection(Profile.SMOKE)
    assert (selection.groups, selection.depth, selection.stream) == (("claude",), 2, True)
    assert str(selection.faults[0]) == "rate_limit.retry_after_20"
    assert selection.profile is Profile.FULL
    assert order.overlay() == {"deadline_s": 5, "real_keys": True}


@pytest.mark.parametrize(
    "wrong",
    [
        {"shapes": ["chatt"]},
        {"faults": ["biling"]},
        {"depth": 0},
        {"deadline_s": 1e9},
        {"injector": "twin"},
        {"groups": ["x"] * 2000},
        {"no_such_thing": 1},
    ],
)
def test_what_cannot_be_ordered_is_refused(wrong):
    """A twin is a process of its own, and is the command line's affair."""
    with pytest.raises(ValidationError):
        DrillOrder.model_validate(wrong)


def test_a_client_of_the_registry_is_ordered_by_its_name():
    """As --as NAME: the agent shape as it asks; its surface follows."""
    order = DrillOrder.model_validate({"client": "claude_code"})
    assert order.selection(Profile.SMOKE).shapes == ("agent.claude_code",)
    assert order.own_client is None
    own = DrillOrder.model_validate({"client": {"system": "Be brief."}})
    assert own.selection(Profile.SMOKE).shapes == ()
    assert own.own_client is not None
    with pytest.raises(ValidationError):
        DrillOrder.model_validate({"client": "nobody"})
