"""A swap that nobody goes on with, and a patch that hides a change."""

from dataclasses import replace

from supervisor.alerts.rules.installed import RULES
from supervisor.probes.standing import unseen
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import snapshot
from tests.supervisor.test_installed import MINUTE, PART, TARGET, look, rollout, watching

UNFINISHED, OUTDATED = RULES


def test_a_swap_that_is_going_on_is_silent():
    """The engine is away, and that is meant."""
    for state in ("staged", "swapping", "restoring", "accepted"):
        assert not list(UNFINISHED.find(snapshot(rollouts=(rollout(state),))))


def test_a_stranded_swap_is_told_with_what_to_do():
    """Since it is so, with the rollout and its container."""
    (one,) = UNFINISHED.find(snapshot(rollouts=(rollout("stranded", why="No memory"),)))
    assert one.labels == {"engine": "gemma"}
    assert one.since == NOON - MINUTE
    assert "not finished: No memory" in one.summary
    assert "the container vllm" in one.description
    assert "Then: understudy rollout rollback" in one.description
    assert one.more == {"rollout": "r1"}


def test_an_interrupted_swap_is_told():
    """Nobody writes into its journal any more."""
    (one,) = UNFINISHED.find(snapshot(rollouts=(rollout("swapping", ago=30 * MINUTE),)))
    assert "swap --resume" in one.description


def test_a_patch_is_told_by_its_target():
    """With the file, the container, and how to compare."""
    assert not list(OUTDATED.find(watching(look())))
    (one,) = OUTDATED.find(watching(look(own="b" * 64)))
    assert one.labels == {"engine": "gemma", "target": TARGET}
    assert "may be obsolete" in one.summary
    assert "/srv/parser.py is mounted over" in one.description
    assert "understudy rollout patches vllm" in one.description


def test_patches_are_not_judged_before_containers_were_seen():
    """What fired before a restart of the daemon stays as it is till then."""
    seen = watching(look())
    known = replace(seen.condition, parts_known=True)
    assert not OUTDATED.unjudged(replace(seen, condition=known))
    unlooked = replace(known, parts={PART: unseen(PART, NOON)})
    assert OUTDATED.unjudged(replace(seen, condition=unlooked))
    assert OUTDATED.unjudged(replace(seen, condition=replace(known, parts_known=False)))
