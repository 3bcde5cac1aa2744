"""Memory and disk for the new engine."""

import pytest

from supervisor.engine.log import EngineLog
from supervisor.rollout.checks.room import check, old_bytes
from supervisor.rollout.facts import Memory
from supervisor.rollout.finding import Answer
from tests.fakes.rollouts import GIB, facts, rollout_file

LOADED = EngineLog(weights_gib=50.0, kv_cache_gib=25.5)
NONE = dict.fromkeys(("container", "state", "running", "old_memory_bytes"))


def disk(**changes):
    """Ask about the disk."""
    return next(one for one in check(facts(**changes)) if one.check == "disk")


def memory(**changes):
    """Ask about memory."""
    return next(one for one in check(facts(**changes)) if one.check == "memory")


def needing(gib: float | None, margin: float = 4):
    """A file that expects so much memory."""
    return rollout_file(
        expect={"memory_gib": gib} if gib is not None else {}, limits={"free_memory_gib": margin}
    )


@pytest.mark.parametrize("free_gib", [5, 100], ids=["just enough", "plenty"])
def test_a_disk_with_room_is_fine(free_gib):
    """How much there is, and where, is told."""
    found = disk(disk_free_bytes=free_gib * GIB)
    assert found.answer is Answer.OK
    assert found.came == f"{free_gib:.1f} GiB in /var/lib/docker"


def test_a_disk_without_room_is_refused():
    """One byte less than the file asks for."""
    found = disk(disk_free_bytes=5 * GIB - 1)
    assert (found.answer, found.asked) == (Answer.REFUSED, "5 GiB of Docker's disk are free")
    assert "docker image prune" in found.remedy
    assert "limits.free_disk_gib" in found.remedy


def test_the_file_says_how_much_disk_must_be_free():
    """A hundred are not enough for it."""
    file = rollout_file(limits={"free_disk_gib": 200})
    assert disk(file=file, disk_free_bytes=100 * GIB).answer is Answer.REFUSED


def test_a_disk_that_cannot_be_looked_at_is_not_known():
    """Docker is on another machine, or its folder is for root alone."""
    found = disk(disk_free_bytes=None, docker={})
    assert found.answer is Answer.UNKNOWN
    assert found.came == "Docker's folder cannot be looked at from here"


def test_memory_that_is_there_once_the_old_one_is_gone_is_fine():
    """What is available, and what comes back."""
    found = memory()
    assert found.answer is Answer.OK
    assert found.asked == "90 GiB for the engine and 4 GiB beside it"
    assert found.came == (
        "30.0 GiB are available, and the old engine gives back 70.0: 100.0 of 119.0 GiB"
    )


@pytest.mark.parametrize(
    ("file", "answer"),
    [
        (needing(96), Answer.OK),
        (needing(96.5), Answer.REFUSED),
        (needing(96, 4.5), Answer.REFUSED),
    ],
    ids=["just enough", "the engine needs more", "more must stay free"],
)
def test_memory_is_refused_where_it_is_not_enough(file, answer):
    """For the engine and for what must stay free beside it."""
    assert memory(file=file).answer is answer


def test_too_little_memory_says_what_to_ask_less_of():
    """A start that finds too little can wedge a machine that shares its memory."""
    found = memory(file=needing(110))
    assert found.answer is Answer.REFUSED
    assert "--gpu-memory-utilization" in found.remedy
    assert "end what else takes memory" in found.remedy


def test_no_more_comes_back_than_the_machine_has():
    """Two figures of different sources may count something twice."""
    found = memory(old_memory_bytes=118 * GIB, file=needing(120))
    assert found.answer is Answer.REFUSED
    assert found.came.endswith("119.0 of 119.0 GiB")


def test_an_engine_of_which_no_need_is_told_is_not_known():
    """A GPU with its own memory needs none of the host's."""
    found = memory(file=needing(None))
    assert found.answer is Answer.UNKNOWN
    assert "expect.memory_gib" in found.came


@pytest.mark.parametrize(
    "told", [Memory(), Memory(total=119 * GIB), Memory(available=30 * GIB)], ids=str
)
def test_a_machine_that_does_not_tell_its_memory_is_not_known(told):
    """Half of it is not enough to judge."""
    found = memory(memory=told)
    assert (found.answer, found.came) == (Answer.UNKNOWN, "this machine does not tell its memory")


@pytest.mark.parametrize(
    ("changes", "gib"),
    [
        ({}, 70),
        ({"log": LOADED}, 75.5),
        ({"log": EngineLog(weights_gib=10.0)}, 70),
        ({"log": LOADED, "file": needing(None)}, 70),
        ({"old_memory_bytes": None}, 0),
        ({"old_memory_bytes": None, "log": LOADED}, 75.5),
        ({"log": LOADED, **NONE}, 0),
    ],
    ids=[
        *("its container's account", "its log tells more", "its log tells less"),
        *("memory of its own", "nothing tells", "its log alone", "none runs"),
    ],
)
def test_what_comes_back_is_the_larger_figure(changes, gib):
    """A GPU that shares the host's memory takes it outside of the container's account."""
    assert old_bytes(facts(**changes)) == gib * GIB
