"""A benchmark that the new engine can be compared with."""

from datetime import timedelta

import pytest

from supervisor.rollout.checks.baseline import check
from supervisor.rollout.finding import Answer
from tests.fakes.benchmarks import CONDITIONS, HOUR, benchmark
from tests.fakes.manual_clock import NOON
from tests.fakes.rollouts import NEW_ID, OLD_ID, facts, rollout_file

DAY = 24 * HOUR


def of_image(digest: str | None):
    """A benchmark of an engine in an image of this digest."""
    conditions = CONDITIONS.model_copy(update={"image_digest": digest})
    return benchmark(taken_at=NOON - HOUR, conditions=conditions)


@pytest.mark.parametrize("age", [timedelta(0), 7 * DAY], ids=["just taken", "as old as it may be"])
def test_a_young_one_is_fine(age):
    """It is named, with its age and its speed."""
    (found,) = check(facts(baseline=benchmark(taken_at=NOON - age)))
    assert (found.check, found.answer) == ("baseline", Answer.OK)
    assert "20260301-120000-aaaa" in found.came
    assert "50.0 tokens a second" in found.came


def test_the_file_says_how_old_it_may_be():
    """Two hours are too many where one is allowed."""
    file = rollout_file(limits={"baseline_age": "1h"})
    (found,) = check(facts(file=file, baseline=benchmark(taken_at=NOON - 2 * HOUR)))
    assert found.answer is Answer.REFUSED
    assert "not older than 1h" in found.asked


def test_an_old_one_is_refused_with_its_age():
    """What to measure, and how to do without, is in the remedy."""
    (found,) = check(facts(baseline=benchmark(taken_at=NOON - 8 * DAY)))
    assert found.answer is Answer.REFUSED
    assert found.came == "the newest is 20260301-120000-aaaa, 8d old"
    assert "understudy bench run gemma" in found.remedy
    assert "--without-baseline REASON" in found.remedy


def test_none_at_all_is_refused():
    """Nobody would know whether the new one is slower."""
    (found,) = check(facts(baseline=None))
    assert (found.answer, found.came) == (Answer.REFUSED, "none is kept")
    assert "understudy bench run gemma" in found.remedy


@pytest.mark.parametrize(
    ("baseline", "came"),
    [(None, "none is kept"), (benchmark(taken_at=NOON - 8 * DAY), "the newest is")],
    ids=["none", "an old one"],
)
def test_who_says_why_there_is_none_is_only_warned(baseline, came):
    """The reason stays with the plan."""
    (found,) = check(facts(baseline=baseline, without_baseline="the first engine here"))
    assert found.answer is Answer.WARNING
    assert found.came.startswith(came)
    assert found.came.endswith("wanted so: the first engine here")


def test_a_reason_changes_nothing_where_there_is_a_fresh_one():
    """It is used."""
    assert [one.answer for one in check(facts(without_baseline="no need"))] == [Answer.OK]


@pytest.mark.parametrize("digest", [NEW_ID, f"vllm/vllm-openai@sha256:{'3' * 64}"])
def test_one_of_another_image_is_a_warning(digest):
    """The engine was exchanged since, so it is no measure of what serves now."""
    (found,) = check(facts(baseline=of_image(digest)))
    assert found.answer is Answer.WARNING
    assert "another image than the one that runs" in found.came
    assert found.remedy == "Measure again: understudy bench run gemma"


@pytest.mark.parametrize(
    "digest",
    [OLD_ID, None],
    ids=["the image that runs", "not known"],
)
def test_one_that_cannot_be_of_another_image_for_all_that_is_known_is_fine(digest):
    """Its id is that of the image, or nobody knows it."""
    assert [one.answer for one in check(facts(baseline=of_image(digest)))] == [Answer.OK]
