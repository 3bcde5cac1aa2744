"""A new configuration, all or nothing."""

import pytest

from chaos.errors import UsageError
from supervisor.daemon.reload import FIXED, reloaded
from supervisor.settings.model import Settings

NOW = Settings.model_validate({"gateway": {"url": "http://g:4000"}})


def settings(**sections):
    """Change what *NOW* says."""
    return Settings.model_validate({**NOW.model_dump(), **sections})


def test_what_can_change_is_taken():
    """Everything that a running daemon does not hold on to."""
    new = settings(rehearse={"target": "2h"}, drills={"deadline_s": 5})
    assert reloaded(lambda: new, NOW) is new


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("gateway.url", {"gateway": {"url": "http://other:4000"}}),
        ("witness.listen", {"witness": {"listen": ["127.0.0.1:9"]}}),
        ("witness.url", {"witness": {"url": "http://w:8941"}}),
        ("daemon.name", {"daemon": {"name": "other"}}),
        ("store.url", {"store": {"url": "sqlite:////elsewhere.db"}}),
        ("web.listen", {"web": {"listen": ["127.0.0.1:9"]}}),
        ("web.token", {"web": {"token": {"env": "TOKEN"}}}),
        ("web.badges", {"web": {"badges": True}}),
    ],
)
def test_what_needs_a_restart_is_refused_by_name(name, sections):
    """Rather than half of the file taken."""
    new = settings(**sections)
    with pytest.raises(UsageError, match=f"cannot change .*{name}") as caught:
        reloaded(lambda: new, NOW)
    assert "Restart" in caught.value.remedy


def test_every_fixed_setting_is_tried_above():
    """One that is added here without a test is a red test."""
    assert len(FIXED) == 8


@pytest.mark.parametrize(
    "sections",
    [
        {"gateway": {"url": "http://g:4000", "key": {"env": "NOT_SET_ANYWHERE"}}},
        {"engines": {"gemma": {"url": "http://e", "key": {"env": "NOT_SET_ANYWHERE"}}}},
    ],
)
def test_a_key_that_is_not_there_refuses_the_file(sections):
    """It is missed now, and not in the middle of the next drill."""
    new = settings(**sections)
    with pytest.raises(UsageError, match="NOT_SET_ANYWHERE"):
        reloaded(lambda: new, NOW)


def test_a_profile_that_is_not_there_refuses_the_file(tmp_path):
    """Each group's."""
    new = settings(rehearse={"groups": {"claude": {"profile": str(tmp_path / "none.yaml")}}})
    with pytest.raises(UsageError, match=r"none\.yaml"):
        reloaded(lambda: new, NOW)
