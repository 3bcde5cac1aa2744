"""What is to be mounted is there."""

from supervisor.rollout.checks.mounts import check
from supervisor.rollout.finding import Answer
from tests.fakes.rollouts import facts, rollout_file


def test_sources_that_are_there_are_counted():
    """Volumes are no part of it: Docker makes them."""
    mounts = ["/srv/models:/models", "/srv/patch.py:/patch.py", "cache:/root/.cache"]
    (found,) = check(facts(file=rollout_file(run={"mounts": mounts})))
    assert (found.check, found.answer, found.came) == ("mounts", Answer.OK, "2 of 2")


def test_each_source_that_is_not_there_is_refused():
    """Docker would make an empty folder in its place, or refuse."""
    found = list(check(facts(missing_sources=("/srv/none", "/srv/neither"))))
    assert [(one.answer, one.came) for one in found] == [
        (Answer.REFUSED, "/srv/none is not there"),
        (Answer.REFUSED, "/srv/neither is not there"),
    ]
    assert {one.remedy for one in found} == {"Make it, or mend the path."}


def test_without_a_mounted_path_there_is_no_question():
    """A volume alone cannot be missing."""
    assert list(check(facts(file=rollout_file(run={"mounts": ["cache:/root/.cache"]})))) == []
