"""The questions together."""

import importlib
import pkgutil

import pytest

from supervisor.rollout import checks
from supervisor.rollout.checks import CHECKS, findings_of
from supervisor.rollout.finding import Answer
from tests.fakes.rollouts import facts, rollout_file

MODULES = [module.name for module in pkgutil.iter_modules(checks.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_every_module_of_the_folder_is_asked(name):
    """A question in a file that nobody lists would never be put."""
    module = importlib.import_module(f"supervisor.rollout.checks.{name}")
    assert CHECKS.count(module.check) == 1


def test_a_healthy_swap_is_fine_in_every_respect():
    """Nothing is refused, warned of, or unknown."""
    found = findings_of(facts())
    assert [one for one in found if one.answer is not Answer.OK] == []
    assert [one.check for one in found] == [
        *("container", "image", "mounts", "flags", "model name", "context", "model"),
        *("place", "disk", "memory", "baseline"),
    ]


def test_what_is_fine_needs_no_remedy():
    """There is nothing to do about it."""
    assert {one.remedy for one in findings_of(facts())} == {""}


def test_every_refusal_says_what_to_do():
    """Even where nothing that is wanted is there."""
    broken = facts(
        file=rollout_file(limits={"free_disk_gib": 500}, expect={"memory_gib": 500}),
        container=None,
        state=None,
        image=None,
        unresolved=("HF_TOKEN",),
        missing_sources=("/srv/none",),
        port_holders={8000: "a process of this machine"},
        name_holder="vllm-next",
        baseline=None,
    )
    refused = [one for one in findings_of(broken) if one.answer is Answer.REFUSED]
    assert {one.check for one in refused} == {
        *("container", "values", "image", "mounts", "place", "disk", "memory", "baseline"),
    }
    assert all(one.remedy for one in refused)
