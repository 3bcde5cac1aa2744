"""Ports, names and devices."""

import pytest

from supervisor.rollout.checks.place import check
from supervisor.rollout.finding import Answer
from tests.fakes.rollouts import DOCKER, answers, facts, rollout_file

WITHOUT = {**DOCKER, "Runtimes": {"runc": {}}}


def test_free_ports_and_a_free_name_are_fine():
    """Both in one line."""
    (found,) = check(facts())
    assert (found.check, found.answer) == ("place", Answer.OK)
    assert found.asked == "ports, and the name vllm-next"


def test_each_port_that_somebody_else_has_is_refused():
    """With who has it."""
    holders = {8000: "the container other", 8001: "a process of this machine"}
    found = list(check(facts(port_holders=holders)))
    assert [(one.answer, one.came) for one in found] == [
        (Answer.REFUSED, "the container other has it"),
        (Answer.REFUSED, "a process of this machine has it"),
    ]
    assert found[0].asked == "port 8000 is free, or the old engine's"
    assert "another port" in found[0].remedy


def test_a_name_that_somebody_else_has_is_refused():
    """It is not ours, so it is not removed."""
    (found,) = check(facts(name_holder="vllm-next"))
    assert found.answer is Answer.REFUSED
    assert found.remedy == "Rename it: docker rename vllm-next ANOTHER-NAME"


def test_gpus_without_a_runtime_for_them_are_refused():
    """Docker itself says so only when the container is started."""
    found = list(check(facts(docker=WITHOUT)))
    assert answers(found) == [Answer.OK, Answer.REFUSED]
    assert found[1].asked == "GPUs: all"
    assert "NVIDIA Container Toolkit" in found[1].remedy


@pytest.mark.parametrize(
    ("docker", "run"),
    [
        (DOCKER, {}),
        ({"Architecture": "aarch64"}, {"runtime": "nvidia"}),
        (WITHOUT, {"gpus": None}),
        (DOCKER, {"runtime": "nvidia"}),
    ],
    ids=["the runtime", "runtimes not told", "no GPU wanted", "a runtime that is there"],
)
def test_gpus_and_runtimes_that_may_be_there_are_not_refused(docker, run):
    """Only what is known not to be there is."""
    assert answers(list(check(facts(docker=docker, file=rollout_file(run=run))))) == [Answer.OK]


def test_devices_of_cdi_are_looked_for_where_docker_does(tmp_path):
    """Docker names the folder whether there is one in it or not."""
    docker = {**WITHOUT, "CDISpecDirs": [str(tmp_path)]}
    assert answers(list(check(facts(docker=docker)))) == [Answer.OK, Answer.REFUSED]
    (tmp_path / "nvidia.yaml").write_text("cdiVersion: 0.6.0")
    assert answers(list(check(facts(docker=docker)))) == [Answer.OK]


def test_a_runtime_that_docker_does_not_have_is_refused():
    """With those that it has."""
    found = list(check(facts(file=rollout_file(run={"runtime": "crun"}))))
    assert answers(found) == [Answer.OK, Answer.REFUSED]
    assert (found[1].asked, found[1].came) == ("the runtime crun", "Docker has nvidia, runc")
    assert found[1].remedy == "Install it, or leave runtime out."
