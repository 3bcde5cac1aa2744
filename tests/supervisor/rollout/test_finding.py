"""One question and its answer."""

from dataclasses import FrozenInstanceError

import pytest

from supervisor.rollout.finding import Answer, Finding


def test_answers_are_listed_from_best_to_worst():
    """Whoever sums them up takes the last."""
    assert [str(one) for one in Answer] == ["ok", "unknown", "warning", "refused"]


def test_a_finding_needs_no_remedy_and_is_not_changed_any_more():
    """Where all is well there is nothing to do."""
    found = Finding("image", Answer.OK, "it is here", "it is")
    assert found.remedy == ""
    with pytest.raises(FrozenInstanceError):
        found.answer = Answer.REFUSED  # type: ignore[misc]  # that is the test
