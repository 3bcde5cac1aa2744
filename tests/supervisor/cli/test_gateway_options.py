"""From options and a file to an open gateway."""

from pathlib import Path

import pytest

from chaos.errors import GatewayError, UsageError
from supervisor.cli.gateway_options import Access, connected
from supervisor.settings.model import GatewaySettings, Secret, Settings
from tests.fakes.http_server import answering, litellm_answers


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


@pytest.mark.parametrize(
    ("gateway", "message"),
    [
        (GatewaySettings(), "no gateway is named"),
        (GatewaySettings(url="http://g"), "no key for the gateway at http://g is named"),
        (GatewaySettings(url="http://me:hunter2@g"), "holds a user name or password"),
        (GatewaySettings(url="http://g", key=Secret(env="NOT_SET_AT_ALL")), "NOT_SET_AT_ALL"),
    ],
)
async def test_what_is_missing_is_told(gateway, message):
    """Before anything is sent."""
    with pytest.raises(UsageError, match=message) as caught:
        async with connected(Settings(gateway=gateway)):
            pass
    assert "hunter2" not in caught.value.message + caught.value.remedy


async def test_without_an_admin_key_the_key_reads_the_topology(monkeypatch):
    """One key is enough to begin with."""
    monkeypatch.setenv("KEY", "sk-one")
    with answering(litellm_answers()) as url:
        settings = Settings(gateway=GatewaySettings(url=url, key=Secret(env="KEY")))
        async with connected(settings) as gateway:
            assert list((await gateway.topology()).groups) == ["gpt"]
            assert gateway.key == "sk-one"
