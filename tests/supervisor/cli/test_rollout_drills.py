"""Who serves meanwhile is asked of the gateway, where there is one."""

import pytest

from chaos.errors import UnderstudyError
from chaos.process.ports import free_port
from supervisor.cli.rollout_drills import covers_of
from supervisor.rollout.meanwhile import Cover
from supervisor.settings.model import GatewaySettings, Settings, WitnessSettings
from supervisor.settings.values import Secret
from supervisor.stop import Stop


async def test_without_a_gateway_nobody_is_asked_and_it_says_why():
    """With the options that would name one."""
    covers, why = await covers_of(Settings(), "gemma", Stop())
    assert covers is None
    assert "no gateway is named" in why
    assert "--gateway URL" in why


async def test_a_gateway_that_is_named_and_not_there_is_an_error():
    """It is not taken for one that nobody named."""
    gateway = GatewaySettings(url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnderstudyError):
        await covers_of(Settings(gateway=gateway), "gemma", Stop())


@pytest.mark.litellm
async def test_a_real_gateway_shows_who_serves_while_an_engine_does_not(shared_lab, monkeypatch):
    """An engine behind others leaves them; one that is asked first needs somebody behind it."""
    monkeypatch.setenv("LAB_KEY", shared_lab.key)
    address = f"127.0.0.1:{shared_lab.witness_port}"
    settings = Settings(
        gateway=GatewaySettings(url=shared_lab.url, key=Secret(env="LAB_KEY")),
        witness=WitnessSettings(listen=(address,), url=f"http://{address}"),
    )
    covers, _ = await covers_of(settings, "gemma", Stop())
    assert covers is not None
    by_group = {one.group: one for one in covers}
    assert by_group["gemma"].cover is Cover.NOBODY
    assert by_group["claude-opus"].cover is Cover.PRIMARY
    covers, _ = await covers_of(settings, "claude-opus", Stop())
    assert covers is not None
    (one,) = covers
    # Its engine refuses tool calls: that somebody answers plain chats is not enough.
    assert (one.group, one.cover) == ("claude-opus", Cover.NOBODY)
    assert "2 of 4 drills failed: hop_failed" in one.why
