"""A machine on which no group can be drilled is not well, whatever its single items say."""

import pytest

from supervisor.doctor.items import Item, fail, ok, warn
from supervisor.doctor.ways import ways
from supervisor.settings.model import Settings

VERSION, OLD = ok("litellm_version", "new"), warn("litellm_version", "old", "Upgrade.")
PERMITTED, REFUSED = ok("permissions", "may"), warn("permissions", "may not", "Permit.")
TWIN, NO_TWIN = ok("twin", "there"), warn("twin", "none", "Install it.")
CONFIG = {"twin": {"litellm_config": "/etc/litellm.yaml"}}


def looked(*items: Item, **sections):
    """What is said of these items."""
    return list(ways(items, Settings.model_validate(sections)))


@pytest.mark.parametrize(
    ("items", "sections"),
    [
        ((VERSION, PERMITTED, REFUSED, NO_TWIN), {}),
        ((OLD, PERMITTED, TWIN), CONFIG),
        ((VERSION, REFUSED, TWIN), CONFIG),
        ((VERSION, REFUSED, TWIN), {**CONFIG, "drills": {"injector": "twin"}}),
        ((fail("gateway", "down", "Start it."), NO_TWIN), {}),
    ],
)
def test_one_way_is_enough(items, sections):
    """And where the gateway could not be asked, that is the failure."""
    assert looked(*items, **sections) == []


@pytest.mark.parametrize(
    ("items", "sections", "message", "remedy"),
    [
        ((VERSION, REFUSED, TWIN), {}, "no group permits", "'understudy init'"),
        ((OLD, PERMITTED, TWIN), {}, "cannot be redirected", "Upgrade LiteLLM"),
        ((OLD, REFUSED, NO_TWIN), CONFIG, "no twin can be started", "Install it."),
        (
            (VERSION, PERMITTED, TWIN),
            {"drills": {"injector": "twin"}},
            "no configuration for a twin",
            "twin.litellm_config",
        ),
        (
            (VERSION, REFUSED, TWIN),
            {**CONFIG, "drills": {"injector": "redirect"}},
            "allows no twin",
            "at auto",
        ),
    ],
)
def test_none_is_a_failure_with_the_remedies(items, sections, message, remedy):
    """One item that says so, with why for each way."""
    (item,) = looked(*items, **sections)
    assert (item.name, item.status) == ("ways", "fail")
    assert message in item.message
    assert remedy in (item.remedy or "")
