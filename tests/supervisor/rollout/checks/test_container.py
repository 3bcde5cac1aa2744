"""The container that serves now."""

from supervisor.rollout.checks.container import check
from supervisor.rollout.finding import Answer
from tests.fakes.rollouts import answers, container, facts, stopped


def test_one_that_runs_is_fine():
    """It is there, and stays when it is stopped."""
    (found,) = check(facts())
    assert (found.check, found.answer, found.came) == ("container", Answer.OK, "vllm runs")


def test_one_that_is_not_there_is_refused():
    """Nothing else about it can be asked."""
    (found,) = check(facts(container=None, state=None))
    assert (found.answer, found.came) == (Answer.REFUSED, "there is no container 'vllm'")
    assert "docker ps --all" in found.remedy


def test_one_that_goes_when_it_is_stopped_is_refused():
    """There would be no way back."""
    (found,) = check(facts(old=container(host={"AutoRemove": True})))
    assert found.answer is Answer.REFUSED
    assert "--rm" in found.came
    assert "without --rm" in found.remedy


def test_one_that_does_not_run_is_a_warning():
    """Its exit code tells what happened; a swap can still be made."""
    (found,) = check(facts(old=stopped()))
    assert (found.answer, found.came) == (
        Answer.WARNING,
        "vllm does not run: exited, exit code 137",
    )
    assert found.remedy == "If it should: docker start vllm"


def test_what_a_rollout_file_has_no_word_for_is_told():
    """The new container will be without it."""
    found = list(check(facts(old=container(config={"Tty": True}, host={"CpuShares": 512}))))
    assert answers(found) == [Answer.OK, Answer.WARNING]
    assert "HostConfig.CpuShares: 512; a terminal (--tty)" in found[1].came
    assert "without it" in found[1].remedy


def test_one_that_compose_made_is_told():
    """Its next 'up' would undo the swap."""
    labels = {"com.docker.compose.project": "spark", "com.docker.compose.service": "llm"}
    found = list(check(facts(old=container(config={"Labels": labels}))))
    assert answers(found) == [Answer.OK, Answer.WARNING]
    assert "Compose made it (spark/llm)" in found[1].came
    assert "Compose file" in found[1].remedy
