"""Flags and parsers that the new image's package has."""

import pytest

from supervisor.rollout.checks.flags import FEW, check
from supervisor.rollout.finding import Answer
from tests.fakes.rollouts import FLAGS, NEW_NAME, WORDS, answers, command, facts, package

PLAIN = "/models/gemma --served-model-name gemma"
TOOLS = "--enable-auto-tool-choice --tool-call-parser gemma4"


def asked(words: str, *, old: str = PLAIN, **changes):
    """Ask about a command, in place of an old one."""
    return list(check(facts(command=command(words), old_command=command(old), **changes)))


def test_a_command_of_known_flags_is_fine():
    """They are counted, and the version is told."""
    (found,) = check(facts())
    assert (found.check, found.answer) == ("flags", Answer.OK)
    assert found.came == "4 flags, all of vLLM 0.32.0"


def test_a_flag_that_the_package_does_not_have_is_refused():
    """With the one that was probably meant."""
    (found,) = asked(f"{PLAIN} --max-model-length 8192")
    assert found.answer is Answer.REFUSED
    assert found.came == f"vLLM 0.32.0 of {NEW_NAME} has no flag --max-model-length"
    assert found.remedy == "Did you mean '--max-model-len'?"


def test_a_flag_that_is_like_no_other_is_to_be_left_out():
    """A list of two hundred flags would help nobody."""
    (found,) = asked(f"{PLAIN} --zzz")
    assert (found.answer, found.remedy) == (Answer.REFUSED, "Leave it out.")


def test_every_wrong_flag_is_told():
    """Who mends the first should not have to come back for the second."""
    found = asked(f"{PLAIN} --zzz --yyy")
    assert answers(found) == [Answer.REFUSED] * 2
    assert [one.came.rpartition(" ")[2] for one in found] == ["--zzz", "--yyy"]


def test_a_version_that_is_not_known_leaves_no_hole_in_the_sentence():
    """Only its words are there."""
    (found,) = asked(f"{PLAIN} --zzz", package=package(version=None))
    assert found.came == f"vLLM of {NEW_NAME} has no flag --zzz"


@pytest.mark.parametrize(
    ("many", "answer"),
    [(FEW - 1, None), (FEW, Answer.REFUSED)],
    ids=["too few to be all", "enough"],
)
def test_a_package_that_declares_few_flags_refuses_none(many, answer):
    """It declares them in a way that is not known here."""
    found = asked(f"{PLAIN} --zzz", package=package(flags=FLAGS[:many]))
    assert (Answer.REFUSED in answers(found)) is (answer is Answer.REFUSED)


@pytest.mark.parametrize(
    ("flag", "kind", "meant"),
    [
        ("--tool-call-parser gemma", "tool-call parser 'gemma'", "Did you mean 'gemma4'?"),
        ("--reasoning-parser qwen", "reasoning parser 'qwen'", "Did you mean 'qwen3'?"),
        ("--reasoning-parser zzz", "reasoning parser 'zzz'", "One of: gemma4, qwen3"),
    ],
    ids=["tool calls", "reasoning", "like no other"],
)
def test_a_parser_that_the_package_does_not_have_is_refused(flag, kind, meant):
    """With what it has."""
    (found,) = asked(f"{PLAIN} {flag}")
    assert found.answer is Answer.REFUSED
    assert found.came == f"vLLM 0.32.0 of {NEW_NAME} has no {kind}"
    assert found.remedy == meant


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("--tool-call-parser own --tool-parser-plugin /own.py", {}),
        ("--reasoning-parser own --reasoning-parser-plugin /own.py", {}),
        ("--tool-call-parser own", {"tool": ()}),
        ("--reasoning-parser own", {"reasoning": ()}),
    ],
    ids=["plugin for tools", "plugin for reasoning", "tools not listed", "reasoning not listed"],
)
def test_a_parser_that_cannot_be_compared_is_not_refused(words, offered):
    """A plugin brings its own, and a package may not tell its list."""
    assert answers(asked(f"{PLAIN} {words}", package=package(**offered))) == [Answer.OK]


@pytest.mark.parametrize(
    ("listed", "came", "remedy"),
    [
        (None, "it could not be started", ""),
        (
            package(problem="no vLLM in it", remedy="Look into it."),
            "no vLLM in it",
            "Look into it.",
        ),
    ],
    ids=["not listed", "a problem"],
)
def test_a_package_that_cannot_be_read_is_not_known(listed, came, remedy):
    """Nothing is refused for it."""
    (found,) = check(facts(package=listed))
    assert (found.answer, found.came, found.remedy) == (Answer.UNKNOWN, came, remedy)


def test_another_engine_than_vllm_is_not_known():
    """Its flags cannot be read."""
    (found,) = check(facts(command=None))
    assert found.answer is Answer.UNKNOWN
    assert "does not start vLLM" in found.came


def test_without_the_image_there_is_no_question():
    """That it is not here is another one's finding."""
    assert list(check(facts(image=None, package=None))) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (PLAIN, "--enable-auto-tool-choice --tool-call-parser"),
        (f"{PLAIN} --enable-auto-tool-choice", "--tool-call-parser"),
        (f"{PLAIN} --tool-call-parser gemma4", "--enable-auto-tool-choice"),
    ],
    ids=["both", "the parser", "the choice"],
)
def test_tool_calls_that_would_be_lost_are_refused(words, told):
    """The running engine reads them, and nothing would say so before a fallback needs them."""
    found = asked(words, old=WORDS)
    assert answers(found) == [Answer.OK, Answer.REFUSED]
    assert found[1].asked == "tool calls that work go on working"
    assert found[1].remedy.startswith(f"Add: {told} (")


def test_they_are_asked_for_without_the_package_too():
    """Both commands are known."""
    found = asked(PLAIN, old=WORDS, package=None)
    assert answers(found) == [Answer.UNKNOWN, Answer.REFUSED]


@pytest.mark.parametrize("old", [PLAIN, WORDS], ids=["none before", "the same before"])
def test_tool_calls_that_are_read_are_fine(old):
    """Whether they were before or not."""
    assert answers(asked(f"{PLAIN} {TOOLS}", old=old)) == [Answer.OK]


def test_tool_choice_without_a_parser_ends_vllm():
    """The old one had neither, so nothing is lost; but the new one does not start."""
    found = asked(f"{PLAIN} --enable-auto-tool-choice")
    assert answers(found) == [Answer.OK, Answer.REFUSED]
    assert found[1].remedy == "Add --tool-call-parser NAME."


def test_without_an_old_command_nothing_can_be_lost():
    """Another engine ran, or none."""
    assert answers(list(check(facts(command=command(PLAIN), old_command=None)))) == [Answer.OK]
