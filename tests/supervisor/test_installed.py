"""How swaps of engines stand, and what mounted files hide: from a snapshot alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from supervisor.installed import changed_by_swap, patches, swaps
from supervisor.probes.probe import Part, PartKind, State
from supervisor.probes.standing import Standing, unseen
from supervisor.store.engines.patches import PatchLook
from supervisor.store.engines.rollouts import JournalRollout, RolloutState
from tests.fakes.manual_clock import NOON
from tests.fakes.snapshots import condition, snapshot

MINUTE = timedelta(minutes=1)
PART = Part(PartKind.CONTAINER, "gemma")
TARGET = "/opt/vllm/parser.py"
SEEN = {"container": "vllm", "image_id": "sha256:new", "mounts": [TARGET]}


def rollout(state: str, *, ago: timedelta = MINUTE, **row) -> JournalRollout:
    """A swap that changed last so long before noon."""
    return JournalRollout(
        "r1", "gemma", "vllm", state, NOON - 2 * ago, NOON - ago, {"quiet_s": 600.0, **row}
    )


def look(image: str = "sha256:new", own: str = "a" * 64, made_for: str = "a" * 64) -> PatchLook:
    """A look at the file of an image."""
    return PatchLook("vllm", TARGET, "/srv/parser.py", image, own, "f" * 64, made_for, NOON)


def watching(*looks: PatchLook, **facts):
    """A snapshot in which the container was seen, and what was looked at before."""
    standing = replace(unseen(PART, NOON), state=State.UP, at=NOON, facts={**SEEN, **facts})
    return snapshot(condition=condition(parts={PART: standing}), patches=looks)


def one_swap(status):
    """The only one that there is."""
    (found,) = swaps(status)
    return found


@pytest.mark.parametrize("state", [RolloutState.SWAPPING, RolloutState.RESTORING])
def test_a_swap_is_under_way_as_long_as_its_journal_moves(state):
    """After its longest step's limit nobody goes on with it, and a person is wanted."""
    found = one_swap(snapshot(rollouts=(rollout(state),)))
    assert (found.under_way, found.trouble) == (True, "")
    found = one_swap(snapshot(rollouts=(rollout(state, ago=11 * MINUTE),)))
    assert not found.under_way
    assert f"interrupted while {state}" in found.trouble
    assert "understudy rollout rollback" in found.to_do


def test_a_stranded_one_wants_a_person_at_once():
    """With what the swap has said of it."""
    found = one_swap(snapshot(rollouts=(rollout("stranded", why="Only a reboot returns it"),)))
    assert found.trouble == "Only a reboot returns it"
    assert "reboot" in found.to_do


@pytest.mark.parametrize(
    "state", ["staging", "staged", "refused", "replaced", "accepted", "restored"]
)
def test_the_others_want_nobody(state):
    """However long ago; what this version has no word for among them."""
    found = one_swap(snapshot(rollouts=(rollout(state, ago=9000 * MINUTE),)))
    assert (found.under_way, found.trouble) == (False, "")
    assert (found.to_do == "understudy rollout swap") == (state == "staged")


def test_a_change_within_a_swap_is_what_it_has_made():
    """Not one of before it, nor of long after, nor of another engine."""
    status = snapshot(rollouts=(rollout("accepted", ago=10 * MINUTE),))
    assert changed_by_swap(status, "gemma", NOON - 15 * MINUTE)
    assert changed_by_swap(status, "gemma", NOON - 6 * MINUTE)
    assert not changed_by_swap(status, "gemma", NOON - 21 * MINUTE)
    assert not changed_by_swap(status, "gemma", NOON - 4 * MINUTE)
    assert not changed_by_swap(status, "qwen", NOON - 15 * MINUTE)
    stranded = snapshot(rollouts=(rollout("stranded", ago=10 * MINUTE),))
    assert not changed_by_swap(stranded, "gemma", NOON - 15 * MINUTE)


def test_a_patch_over_the_image_that_it_was_made_for_is_well():
    """It is listed, with no trouble."""
    (found,) = patches(watching(look()))
    assert (found.engine, found.look.target, found.trouble) == ("gemma", TARGET, "")


def test_a_patch_that_hides_a_change_is_told():
    """The image's own file is another one than the one it was made for."""
    (found,) = patches(watching(look("sha256:old"), look(own="b" * 64)))
    assert "hides what changed" in found.trouble


def test_an_image_that_nobody_has_looked_into_is_told():
    """What the mount hides there is not known."""
    (found,) = patches(watching(look("sha256:old")))
    assert "another image (new) than the one" in found.trouble
    assert "(old)" in found.trouble


def test_the_look_at_the_image_that_runs_counts_wherever_it_stands():
    """A rollout looks into the next image while the old one still runs."""
    (found,) = patches(watching(look(), look("sha256:next", own="b" * 64)))
    assert found.trouble == ""


@pytest.mark.parametrize(
    "facts", [{"mounts": []}, {"container": "other"}], ids=["unmounted", "another container"]
)
def test_what_is_not_mounted_any_more_is_forgotten(facts):
    """It hides nothing."""
    assert not list(patches(watching(look(own="b" * 64), **facts)))


def test_a_container_that_was_not_seen_says_nothing():
    """Before the first look nobody knows what it runs."""
    never: Standing = unseen(PART, NOON)
    status = snapshot(condition=condition(parts={PART: never}), patches=(look(own="b" * 64),))
    assert not list(patches(status))
