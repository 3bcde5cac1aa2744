"""When drills may run, and what they may use up."""

import pytest

from chaos.errors import UsageError
from supervisor.settings.file import parse_settings
from supervisor.settings.model import Settings


def test_by_default_nothing_is_spent_and_every_hour_is_open():
    """Money has to be allowed; time has not."""
    settings = Settings()
    assert settings.budget.usd == 0.0
    assert settings.budget.requests is None
    assert settings.schedule.windows == ()
    assert settings.schedule.engine_share == 0.02


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schedule: {time_zone: Europe/Berln}", "is not a time zone such as Europe/Berlin"),
        ("schedule: {windows: [always]}", "is not a window such as 'Mon-Fri 07:00-20:00'"),
        ("schedule: {engine_share: 2}", "schedule.engine_share"),
        ("budget: {usd: -1}", "budget.usd"),
        ("budget: {providers: {anthropic: {eur: 1}}}", "budget.providers.anthropic.eur"),
    ],
)
def test_a_slip_is_named(text, message):
    """When the file is read."""
    with pytest.raises(UsageError) as caught:
        parse_settings(text, name="x")
    assert message in caught.value.message
