"""Values that the file leaves to the running container."""

from supervisor.rollout.checks.values import check
from supervisor.rollout.finding import Answer
from tests.fakes.rollouts import facts


def test_each_value_that_is_nowhere_is_refused():
    """A variable by its name; a flag says its own sentence."""
    sentence = "the running container has no value for --api-key"
    found = list(check(facts(unresolved=("HF_TOKEN", sentence))))
    assert [(one.check, one.answer, one.came) for one in found] == [
        ("values", Answer.REFUSED, "HF_TOKEN has none there"),
        ("values", Answer.REFUSED, sentence),
    ]
    assert {one.remedy for one in found} == {
        "Write the value into the rollout file, or leave the name out."
    }


def test_where_all_are_there_nothing_is_said():
    """There may be none to fill in at all."""
    assert list(check(facts(unresolved=()))) == []
