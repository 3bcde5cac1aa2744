"""From options and a file to settings."""

from pathlib import Path

import pytest

from chaos.errors import GatewayError, UsageError
from supervisor.cli.gateway_options import Access
from supervisor.settings.values import Secret


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A file that names a gateway and its key."""
    file = tmp_path / "understudy.yaml"
    file.write_text("gateway: {url: 'http://from-file:4000', key: {env: FROM_FILE}}\n")
    return file


def test_options_are_laid_over_the_file(config: Path):
    """What is typed counts more than what is written, and the rest stays."""
    settings = Access(config=config, gateway="typed:4000").settings()
    assert settings.gateway.url == "http://typed:4000"
    assert settings.gateway.key == Secret(env="FROM_FILE")
    settings = Access(config=config, key_file=Path("/key"), admin_key_env="ADMIN").settings()
    assert settings.gateway.url == "http://from-file:4000"
    assert settings.gateway.key == Secret(file=Path("/key"))
    assert settings.gateway.admin_key == Secret(env="ADMIN")


def test_two_places_for_one_key_are_refused(config: Path):
    """Nobody has to guess which one counts."""
    with pytest.raises(UsageError, match="--admin-key-env and --admin-key-file"):
        Access(config=config, admin_key_env="A", admin_key_file=Path("/b")).settings()


def test_a_url_that_is_none_is_refused(config: Path):
    """A scheme that no gateway speaks."""
    with pytest.raises(GatewayError):
        Access(config=config, gateway="ftp://x").settings()
