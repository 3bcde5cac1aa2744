"""From settings to an open gateway."""

import pytest

from chaos.errors import UsageError
from supervisor.campaign.connection import connected, connected_or_none
from supervisor.settings.model import GatewaySettings, Settings
from supervisor.settings.values import Secret
from tests.fakes.http_server import answering, litellm_answers


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


async def test_as_a_virtual_key_the_settings_own_key_reads(monkeypatch):
    """Drills are that key's; what it may do is read with the key that there was before."""
    monkeypatch.setenv("KEY", "sk-one")
    monkeypatch.setenv("TEAM", "sk-team")
    answers = {
        **litellm_answers(),
        "/key/info": (200, "application/json", b'{"info": {"key_alias": "team"}}'),
    }
    with answering(answers) as url:
        keys = {"key": Secret(env="KEY"), "as_key": Secret(env="TEAM")}
        settings = Settings(gateway=GatewaySettings(url=url, **keys))
        async with connected_or_none(settings) as gateway:
            assert gateway is not None
            assert gateway.key == "sk-team"
            caller = (await gateway.topology()).caller
            assert caller is not None
            assert caller.name == "team"
        async with connected(settings) as gateway:
            # Every other command, and the daemon, go on with the key.
            assert gateway.key == "sk-one"
            assert (await gateway.topology()).caller is None
