"""What is watched, and by what signs of life clients are known to be well."""

from datetime import timedelta

import pytest

from chaos.errors import UsageError
from supervisor.settings.file import parse_settings


def parsed(text: str):
    """Read a configuration."""
    return parse_settings(text, name="understudy.yaml")


def test_everything_but_docker_is_watched_by_default():
    """Who may ask Docker is root, so that is asked for."""
    watch = parsed("").watch
    assert watch.enabled
    assert not watch.docker
    assert (watch.confirm, watch.recover) == (2, 2)


def test_a_heartbeat_needs_its_period():
    """How late it may be has a default; how often it comes only its owner knows."""
    beat = parsed("heartbeats: {nightly-eval: {period: 24h}}").heartbeats["nightly-eval"]
    assert (beat.period, beat.grace) == (timedelta(days=1), timedelta(minutes=5))
    with pytest.raises(UsageError, match=r"heartbeats\.eval\.period: missing"):
        parsed("heartbeats: {eval: {grace: 5m}}")


@pytest.mark.parametrize("name", ["a b", "-a", "", "a/b", "x" * 65])
def test_a_heartbeat_s_name_is_part_of_an_address(name: str):
    """What no address can carry is refused."""
    with pytest.raises(UsageError, match="letters, digits"):
        parsed(f"heartbeats: {{'{name}': {{period: 1h}}}}")


@pytest.mark.parametrize("line", ["every: 0", "confirm: 0", "low_memory_ratio: 1", "token: 1m"])
def test_what_makes_no_sense_is_refused(line: str):
    """Each with its path."""
    with pytest.raises(UsageError, match=rf"watch\.{line.split(':', maxsplit=1)[0]}"):
        parsed(f"watch: {{{line}}}")
