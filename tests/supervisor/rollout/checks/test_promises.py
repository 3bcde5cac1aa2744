"""What the command can keep of what is expected."""

import pytest

from supervisor.rollout.checks.promises import check
from supervisor.rollout.finding import Answer
from tests.fakes.rollouts import answers, command, engine, facts, rollout_file

MODEL = "/models/gemma"


def asked(words: str, **changes):
    """Ask about a command of a model at its path."""
    return list(check(facts(command=command(f"{MODEL} {words}"), **changes)))


def expecting(**values):
    """A file with these expectations and no others."""
    return rollout_file(expect=values)


def test_a_command_that_keeps_both_is_fine():
    """Name and context."""
    found = list(check(facts()))
    assert [(one.check, one.answer) for one in found] == [
        ("model name", Answer.OK),
        ("context", Answer.OK),
    ]
    assert [one.came for one in found] == ["gemma", "--max-model-len 65536"]


@pytest.mark.parametrize(
    ("words", "served"),
    [("--served-model-name qwen other", "qwen, other"), ("", MODEL)],
    ids=["other names", "by its path alone"],
)
def test_a_name_that_would_not_be_served_is_refused(words, served):
    """With the flag that makes it so."""
    found = asked(words, file=expecting(model="gemma"), engine=None)
    assert found[0].answer is Answer.REFUSED
    assert found[0].came == f"the command lets it serve {served}"
    assert found[0].remedy == "Add: --served-model-name gemma"


def test_one_of_several_names_is_enough():
    """An engine may have many."""
    assert answers(asked("--served-model-name qwen gemma", file=expecting(model="gemma"))) == [
        Answer.OK
    ]


def test_a_name_that_is_served_now_and_would_be_gone_is_refused():
    """Whoever asks for it would get 404; the remedy keeps all of them."""
    running = engine(names=("gemma", "gpt"))
    (found,) = asked("--served-model-name gemma", file=expecting(), engine=running)
    assert found.answer is Answer.REFUSED
    assert found.asked == "it goes on serving gemma, gpt"
    assert "'gpt' gets 404" in found.came
    assert found.remedy == "Add: --served-model-name gemma gpt"


def test_a_name_that_is_changed_on_purpose_is_a_warning():
    """The file expects the new one, so the gateway has to follow."""
    (found,) = asked("--served-model-name gemma-5", file=expecting(model="gemma-5"))
    assert (found.answer, found.came) == (Answer.WARNING, "gemma will be gone")
    assert "gateway" in found.remedy


@pytest.mark.parametrize("running", [None, engine(names=None)], ids=["no answer", "no names"])
def test_an_engine_that_tells_no_name_loses_none(running):
    """Nothing is known of what it serves."""
    words = "--served-model-name gemma-5"
    assert answers(asked(words, file=expecting(), engine=running)) == [Answer.OK]


@pytest.mark.parametrize("length", ["65536", "128k", "64K", "65.536k", "1M"])
def test_a_context_that_is_long_enough_is_fine(length):
    """As vLLM reads it: k is a thousand, K is 1024."""
    found = asked(f"--served-model-name gemma --max-model-len {length}")
    assert answers(found) == [Answer.OK, Answer.OK]


@pytest.mark.parametrize("length", ["65535", "64k", "63K", "0.05M"])
def test_a_context_that_is_too_short_is_refused(length):
    """The remedy says how long it has to be."""
    found = asked(f"--served-model-name gemma --max-model-len {length}")
    assert answers(found) == [Answer.OK, Answer.REFUSED]
    assert (found[1].asked, found[1].came) == (
        "65,536 tokens of context",
        f"--max-model-len {length}",
    )
    assert "--max-model-len 65536" in found[1].remedy


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ("", rollout_file()),
        ("--max-model-len auto", rollout_file()),
        ("--max-model-len 8", expecting(model="gemma")),
    ],
    ids=["the model's own", "left to vLLM", "none expected"],
)
def test_a_context_that_is_not_known_or_not_expected_is_no_question(words, file):
    """Only a start shows it."""
    found = asked(f"--served-model-name gemma {words}", file=file)
    assert [one.check for one in found] == ["model name"]


def test_another_engine_is_not_asked():
    """Its command cannot be read."""
    assert list(check(facts(command=None))) == []


def test_a_command_without_any_name_is_not_judged():
    """VLLM has a default model, or a configuration file says it."""
    assert list(check(facts(command=command("--port 8000"), file=expecting(model="gemma")))) == []
