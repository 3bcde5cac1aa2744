"""The snapshot as the page shows it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from supervisor.probes.kinds.heartbeat import PulseStatus
from supervisor.probes.probe import State
from supervisor.store.alerts.records import Severity, Silence
from supervisor.web.page.home import BEAT_TONES, PART_TONES, home
from tests.fakes.alerts import alert_state
from tests.fakes.manual_clock import NOON
from tests.fakes.pages import healthy
from tests.fakes.snapshots import PATCH, ROLLOUT, full_snapshot, snapshot


def test_every_state_of_a_part_and_of_a_beat_has_a_tone():
    """A new one would be shown without."""
    assert set(PART_TONES) == set(State)
    assert set(BEAT_TONES) == set(PulseStatus)


def test_everything_that_is_known_is_shown():
    """Each from its place in the snapshot."""
    shown = home(full_snapshot(), None, ())
    assert [(line.name, line.state) for line in shown.engines] == [("gemma", "down")]
    assert shown.engines[0].facts == [("it answers", "refused")]
    assert [(line.name, line.state, line.text) for line in shown.refused] == [
        ("engine busy", "4 times", "2 requests wait")
    ]
    assert [(line.name, line.text) for line in shown.heartbeats] == [("backup", "2 missed")]
    assert shown.halted == f"release, until {NOON + timedelta(hours=1):%Y-%m-%d %H:%M} UTC"
    assert shown.running == "claude/general/1/billing/chat/chat_completions/whole"
    assert shown.spent[0].state == "0.00 of 0.00 USD today"


def test_alerts_are_shown_by_urgency_and_without_the_one_that_always_fires():
    """A silenced one says so."""
    alerts = (
        alert_state(name="Watchdog", severity=Severity.INFO, labels={"alertname": "Watchdog"}),
        alert_state(name="FallbackStale", severity=Severity.TICKET, labels={"group": "gpt"}),
        alert_state(),
    )
    silence = Silence(1, {"group": "gpt"}, "lunch", NOON, NOON + timedelta(hours=1))
    shown = home(snapshot(alerts=alerts, silences=(silence,)), None, ())
    assert [(line.name, line.tone) for line in shown.firing] == [
        ("FallbackBroken", "bad"),
        ("FallbackStale", "warn"),
    ]
    assert [("silenced", "nobody is told") in line.facts for line in shown.firing] == [False, True]
    name = shown.firing[0].name.lower()
    link = f'<a href="/docs/alerts.md#{name}">What to do</a>'
    assert dict(shown.firing[0].facts)["runbook"] == link


def test_the_sentence_s_tone_is_as_bad_as_what_it_says():
    """Red for a page, yellow for a ticket or a halt, green for all proven, grey for nothing."""
    well = healthy()
    ticket = alert_state(severity=Severity.TICKET)
    assert home(well, None, ()).tone == "good"
    assert home(replace(well, alerts=(alert_state(),)), None, ()).tone == "bad"
    assert home(replace(well, alerts=(ticket,)), None, ()).tone == "warn"
    assert home(replace(well, halt=full_snapshot().halt), None, ()).tone == "warn"
    assert home(replace(well, counts=replace(well.counts, states={})), None, ()).tone == "none"
    assert home(snapshot(), None, ()).tone == "warn"


def test_an_engine_shows_what_it_can_hold():
    """Context and KV cache, where they are known; and what its last look found."""
    seen = {"max_model_len": {"gemma-4": 65_536}, "kv_cache_tokens": 120_000, "version": "0.32.0"}
    base = full_snapshot()
    part, standing = next(iter(base.condition.parts.items()))
    parts = {part: replace(standing, facts={"seen": seen})}
    shown = home(replace(base, condition=replace(base.condition, parts=parts)), None, ())
    assert shown.engines[0].facts == [
        ("context of gemma-4", "65,536 tokens"),
        ("KV cache", "120,000 tokens"),
        ("version", "0.32.0"),
        ("it answers", "refused"),
    ]
    for nothing in ({}, {"seen": None}, {"seen": {"max_model_len": None}}):
        parts = {part: replace(standing, facts=nothing)}
        shown = home(replace(base, condition=replace(base.condition, parts=parts)), None, ())
        assert shown.engines[0].facts == [("it answers", "refused")]


def test_swaps_and_patches_say_what_a_person_is_to_do():
    """A stranded swap says reboot; a patch that fits is no matter of worry."""
    shown = home(full_snapshot(), None, ())
    (swap,) = shown.swaps
    assert (swap.name, swap.tone, swap.state) == ("vllm", "bad", "stranded")
    assert "only a reboot returns it" in swap.text
    assert "understudy rollout rollback" in dict(swap.facts)["next"]
    (patch,) = shown.patches
    assert (patch.name, patch.tone, patch.state) == ("parser.py", "warn", "may be obsolete")
    fits = replace(PATCH, made_for=PATCH.own)
    (patch,) = home(replace(full_snapshot(), patches=(fits,)), None, ()).patches
    assert (patch.tone, patch.state, patch.text) == ("good", "fits", "over vllm")


@pytest.mark.parametrize(
    ("state", "tone", "to_do"),
    [("swapping", "warn", False), ("accepted", "good", False), ("staged", "none", True)],
)
def test_a_swap_that_goes_on_or_has_ended_wants_nobody(state, tone, to_do):
    """What may be done next is shown only where nobody does it already."""
    row = {"quiet_s": 7200.0}
    status = replace(full_snapshot(), rollouts=(replace(ROLLOUT, state=state, row=row),))
    (swap,) = home(status, None, ()).swaps
    assert (swap.tone, swap.text) == (tone, "the engine of gemma")
    assert ("next" in dict(swap.facts)) is to_do
