"""An outage that ends."""

import pytest

from chaos.errors import UsageError
from chaos.faults.kinds import FAULTS, parse_fault
from chaos.faults.kinds.outage import Outage
from tests.fakes.scenes import head_of, scene


@pytest.mark.parametrize(("text", "lasts_s"), [("outage", 20.0), ("outage.seconds_60", 60.0)])
def test_it_says_how_long_it_lasts(text, lasts_s):
    """The variant sets it."""
    fault, name = parse_fault(text)
    assert fault.lasts_s(name.variant) == lasts_s


def test_no_other_fault_has_an_end():
    """They are drilled by one request each."""
    assert [name for name, fault in FAULTS.items() if fault.lasts_s(None) is not None] == ["outage"]


@pytest.mark.parametrize(
    ("voice", "status"),
    [(("openai", "chat_completions"), 503), (("anthropic", "messages"), 529)],
)
def test_the_provider_has_no_capacity(voice, status):
    """It fails in its own words, as in an incident."""
    assert head_of(Outage().script(scene(voice)))[0] == status


def test_it_cannot_strike_once():
    """It lasts, and ends by the clock."""
    with pytest.raises(UsageError, match="cannot strike only once") as told:
        parse_fault("outage.once")
    assert "server_error.once" in told.value.remedy
