"""Swaps and patches are shown with every field that is known of them."""

from dataclasses import replace

from supervisor.installed import patches, swaps
from supervisor.web.answers.installed import PatchAnswer, SwapAnswer
from tests.fakes.snapshots import PATCH, ROLLOUT, full_snapshot
from tests.supervisor.web.answers.sent import as_json


def test_a_swap_that_goes_on_says_so():
    """Nobody else is to begin with it."""
    going = replace(ROLLOUT, state="swapping", row={"quiet_s": 7200.0})
    (swap,) = swaps(replace(full_snapshot(), rollouts=(going,)))
    sent = as_json(SwapAnswer.of(swap))
    assert (sent["state"], sent["under_way"], sent["trouble"]) == ("swapping", True, "")


def test_a_patch_that_fits_has_no_trouble():
    """When it was compared is told."""
    fits = replace(PATCH, made_for=PATCH.own)
    (patch,) = patches(replace(full_snapshot(), patches=(fits,)))
    assert as_json(PatchAnswer.of(patch)) == {
        "engine": "gemma",
        "container": "vllm",
        "target": "/opt/parser.py",
        "source": "/srv/parser.py",
        "looked_at": "2026-03-01T12:00:00Z",
        "trouble": "",
    }
