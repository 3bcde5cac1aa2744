"""The model's files are whole."""

import pytest

from supervisor.rollout.checks.model import check
from supervisor.rollout.finding import Answer
from tests.fakes.rollouts import answers, facts, model_files


@pytest.mark.parametrize(
    ("changes", "came"),
    [
        ({}, "2 files of weights, 50.0 GiB, in /srv/models/gemma"),
        ({"shards": 1}, "1 file of weights, 50.0 GiB, in /srv/models/gemma"),
        ({"hashed": 2}, "2 files of weights, 2 by their hash, 50.0 GiB, in /srv/models/gemma"),
    ],
    ids=["two files", "one file", "hashed"],
)
def test_a_whole_model_is_fine(changes, came):
    """What was looked at is told, and how closely."""
    (found,) = check(facts(model=model_files(**changes)))
    assert (found.check, found.answer, found.came) == ("model", Answer.OK, came)


@pytest.mark.parametrize(
    ("asked_for", "remedy"),
    [
        ("google/gemma-4", "Fetch it again: hf download google/gemma-4"),
        ("/models/gemma", "Fetch it again."),
    ],
    ids=["of Hugging Face", "a folder"],
)
def test_each_problem_is_refused(asked_for, remedy):
    """The remedy names the repository where there is one; nothing is fine besides."""
    model = model_files(asked_for=asked_for, problems=("one is cut short", "one is not there"))
    found = list(check(facts(model=model)))
    assert [(one.answer, one.came, one.remedy) for one in found] == [
        (Answer.REFUSED, "one is cut short", remedy),
        (Answer.REFUSED, "one is not there", remedy),
    ]


def test_a_doubt_is_not_known_and_the_rest_is_fine():
    """What could be looked at was whole."""
    found = list(check(facts(model=model_files(doubts=("no tokenizer?",)))))
    assert answers(found) == [Answer.UNKNOWN, Answer.OK]
    assert found[0].came == "no tokenizer?"


def test_a_model_of_which_no_file_was_seen_is_not_said_to_be_fine():
    """It may be in the image itself."""
    model = model_files(folder=None, shards=0, weights_bytes=0, doubts=("it is in the image",))
    assert answers(list(check(facts(model=model)))) == [Answer.UNKNOWN]


def test_without_a_model_there_is_no_question():
    """Another engine than vLLM, whose command cannot be read."""
    assert list(check(facts(model=None))) == []
