"""What starts the trial without a GPU, and what its outcome means."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from supervisor.engine.container import NotRunningError
from supervisor.probes.depths.forced import TOOL
from supervisor.rollout.command_line import VllmCommand, read_command
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.docker_host import DockerHost
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.render import (
    ARGUMENTS,
    Rendered,
    findings_of,
    render_words,
    try_render,
)

ASIDE = ("--host", "127.0.0.1", "--port", "8000")
READ = {"whole": [TOOL, ARGUMENTS], "streamed": [TOOL, ARGUMENTS]}
NOT_READ = {"whole": None, "streamed": None}
WRITTEN = f'<|tool_call>call:{TOOL}{{a:<|"|>{ARGUMENTS["a"]}<|"|>}}<tool_call|>'
LIMIT_S = 300.0


def command(*words: str) -> VllmCommand:
    """Read a command that starts vLLM."""
    found = read_command(words)
    assert found is not None
    return found


GOOD = command("vllm", "serve", "m", "--enable-auto-tool-choice", "--tool-call-parser", "gemma4")


def result(**changes: Any) -> dict[str, Any]:
    """What the probe prints where everything is well."""
    return {
        "up": True,
        "version": "0.32.0",
        "history": 200,
        "error": "",
        "template": {"text": WRITTEN, **READ},
        "formats": {"hermes": NOT_READ, "gemma4": READ},
        **changes,
    }


def judged(given: VllmCommand = GOOD, **changes: Any) -> dict[str, Finding]:
    """Judge a trial whose probe printed a result with *changes*; by the finding's name."""
    found = findings_of(Rendered(result(**changes), took_s=7.4), given, LIMIT_S)
    return {one.check: one for one in found}


def ended(log: str, code: int | None = 1) -> Finding:
    """Judge a trial that did not come up."""
    (found,) = findings_of(Rendered(None, code, log, 301.0), GOOD, LIMIT_S)
    return found


# --- the trial --------------------------------------------------------------------------


class Host:
    """A Docker whose one container ends after the look that precedes a command in it."""

    def __init__(self) -> None:
        self.running = True
        self.removed = 0

    def remove(self, _name: str) -> None:
        self.removed += 1

    def create(self, *_: object) -> str:
        return "0a"

    def start(self, _name: str) -> None:
        """It runs from the beginning."""

    def container(self, _name: str) -> Mapping[str, Any]:
        status = "running" if self.running else "exited"
        code = 0 if self.running else 2
        return {"State": {"Status": status, "Running": self.running, "ExitCode": code}}

    def run_inside(self, name: str, _words: Sequence[str]) -> tuple[int, str]:
        self.running = False
        raise NotRunningError(name, f"the container {name!r} is not running: exited")

    def log(self, _name: str, **_: object) -> str:
        return "ValueError: invalid tool call parser: gemma5"


async def test_an_engine_that_ends_between_two_looks_has_ended():
    """It is the trial's answer, not a trouble of Docker's."""
    host = Host()
    spec = ContainerSpec.model_validate({"image": "vllm:1", "command": ["--model", "m"]})
    rendered = await try_render(
        cast(DockerHost, host), spec, GOOD, name="trial", rollout="r", within_s=LIMIT_S
    )
    (found,) = findings_of(rendered, GOOD, LIMIT_S)
    assert found.answer is Answer.REFUSED
    assert found.came == ("it ended with exit code 2: ValueError: invalid tool call parser: gemma5")
    assert host.removed == 2


# --- the command ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("vllm serve m", "vllm launch render m"),
        ("/opt/v/bin/vllm serve m", "/opt/v/bin/vllm launch render m"),
        ("python3 -m vllm.entrypoints.openai.api_server --model m", "vllm launch render m"),
        ("vllm serve --model m --dtype half", "vllm launch render m --dtype half"),
        ("vllm serve --model=m --dtype half", "vllm launch render m --dtype half"),
        ("vllm serve --dtype half", "vllm launch render --dtype half"),
        (
            "vllm serve m --host 0.0.0.0 --port 9 --dtype half --api-key a b --uds /s --seed 1",
            "vllm launch render m --dtype half --seed 1",
        ),
        ("vllm serve m --host=:: --port=9 --api_key=a --seed 1", "vllm launch render m --seed 1"),
        (
            "vllm serve m --ssl-keyfile k --ssl-certfile c --ssl-ca-certs a --seed 1",
            "vllm launch render m --seed 1",
        ),
        (
            "vllm serve m --served-model-name a b --enforce-eager --dtype=half -tp 2",
            "vllm launch render m --served-model-name a b --enforce-eager --dtype=half -tp 2",
        ),
        ("vllm serve m --seed -1 --top -.5", "vllm launch render m --seed -1 --top -.5"),
        ("vllm serve m --port 9 -O3", "vllm launch render m -O3"),
    ],
)
def test_the_trial_is_the_server_s_own_command_without_what_only_serves(words, kept):
    """Other flags stay in their order with all their values; it listens to itself alone."""
    assert render_words(command(*words.split())) == (*kept.split(), *ASIDE)


def test_the_command_inside_a_shell_s_is_tried():
    """As launch scripts have it."""
    given = command("bash", "-c", "exec /v/vllm serve m --port 1 --seed 2")
    assert render_words(given) == ("/v/vllm", "launch", "render", "m", "--seed", "2", *ASIDE)


def test_a_value_with_spaces_stays_one_word():
    """JSON, say."""
    limits = '{"image": 1}'
    given = command("vllm", "serve", "m", "--limit-mm-per-prompt", limits)
    assert render_words(given)[4:6] == ("--limit-mm-per-prompt", limits)


# --- what it means ----------------------------------------------------------------------


def test_a_parser_that_reads_the_template_in_both_ways_is_well():
    """And how long it took is told."""
    found = judged()
    assert [one.answer for one in found.values()] == [Answer.OK, Answer.OK]
    assert found["render"].came == "it answers after 7 s"
    assert "the parser gemma4 reads" in found["parsers"].asked
    assert found["parsers"].remedy == ""


def test_a_template_that_is_not_read_is_refused_with_the_formats_that_are():
    """So that whoever chose the parser sees whose it is."""
    found = judged(
        template={"text": WRITTEN, **NOT_READ}, formats={"hermes": READ, "gemma4": NOT_READ}
    )["parsers"]
    assert found.answer is Answer.REFUSED
    assert found.came == f"whole and streamed: no call, of {WRITTEN}"
    assert found.remedy.startswith("It reads calls as hermes writes them.")
    assert "gemma4" not in found.remedy


def test_a_template_that_is_not_read_by_a_parser_that_reads_nothing_names_no_format():
    """There is none to name."""
    found = judged(template={"text": WRITTEN, **NOT_READ}, formats={"hermes": NOT_READ})
    assert found["parsers"].remedy == "Choose the parser of the model's family."


@pytest.mark.parametrize(
    ("way", "came", "said"),
    [
        ("streamed", None, "streamed: no call, of "),
        ("whole", None, "whole: no call, of "),
        ("streamed", [TOOL, {"a": "else"}], f'streamed: ["{TOOL}", {{"a": "else"}}], of '),
        ("streamed", [TOOL, "{"], f'streamed: ["{TOOL}", "{{"], of '),
    ],
)
def test_a_template_that_is_read_in_one_way_alone_is_refused(way, came, said):
    """Clients choose the way; arguments that came out otherwise are not read."""
    found = judged(template={"text": WRITTEN, **READ, way: came})["parsers"]
    assert found.answer is Answer.REFUSED
    assert found.came.startswith(said)


def test_a_long_text_of_the_template_is_shortened():
    """To a line."""
    found = judged(template={"text": WRITTEN + "\nx" * 500, **NOT_READ})["parsers"]
    assert "\n" not in found.came
    assert found.came.endswith("…")
    assert len(found.came) < 220


@pytest.mark.parametrize("template", [None, {"text": "<turn|>", **NOT_READ}])
def test_a_template_that_writes_no_arguments_leaves_the_formats_to_tell(template):
    """Some templates leave out the calls of earlier turns."""
    found = judged(template=template)["parsers"]
    assert found.answer is Answer.OK
    assert "it reads calls as gemma4 writes them" in found.came


@pytest.mark.parametrize("one", [NOT_READ, {**READ, "streamed": None}, {**READ, "whole": None}])
def test_neither_template_nor_formats_is_not_known(one):
    """A format that is read in one way alone does not count."""
    found = judged(template=None, formats={"hermes": one, "gemma4": one})["parsers"]
    assert found.answer is Answer.UNKNOWN
    assert found.came.endswith("hermes, gemma4")
    assert found.remedy


def test_a_command_without_a_parser_is_a_warning():
    """Whatever was read: the engine would call no tool."""
    found = judged(command("vllm", "serve", "m"))
    assert (found["render"].answer, found["parsers"].answer) == (Answer.OK, Answer.WARNING)
    assert "--enable-auto-tool-choice" in found["parsers"].remedy


@pytest.mark.parametrize(
    "changes",
    [
        {"history": 500, "error": "the template refuses a tool's result: no role tool"},
        {
            "history": 400,
            "error": "the template refuses a chat with a tool: no role tool",
            "template": None,
            "formats": {},
        },
    ],
)
def test_a_template_that_refuses_a_history_with_tools_is_refused(changes):
    """An agent's second turn would fail; what the template said is quoted."""
    found = judged(**changes)
    assert list(found) == ["template"]
    assert found["template"].answer is Answer.REFUSED
    assert "no role tool" in found["template"].came
    assert "--chat-template" in found["template"].remedy


@pytest.mark.parametrize(
    "said",
    [
        "vllm: error: unrecognized arguments: --no-such",
        "KeyError: 'invalid tool call parser: gemma5 (chose from { hermes })'",
        "ValueError: the tokenizer has no chat template",
    ],
)
def test_a_start_that_fails_is_refused_with_its_words(said):
    """The last line that is an error's, whatever was written after it."""
    found = ended(f"INFO starts\nRuntimeError: an earlier one\n{said}\nINFO shutting down\n", 2)
    assert found.answer is Answer.REFUSED
    assert found.came == f"it ended with exit code 2: {said}"
    assert found.remedy


@pytest.mark.parametrize(
    "said",
    [
        "RuntimeError: Failed to infer device type",
        "RuntimeError: No CUDA GPUs are available",
        "ImportError: libcuda.so.1: cannot open shared object file",
        "ModuleNotFoundError: No module named 'triton'",
    ],
)
def test_a_start_that_wants_a_gpu_says_nothing_of_the_command(said):
    """There is none in the trial, and there will be one for the engine."""
    found = ended(f"INFO starts\n{said}\n")
    assert (found.answer, found.remedy) == (Answer.UNKNOWN, "")
    assert said in found.came


def test_an_older_vllm_that_launches_no_renderer_cannot_be_tried():
    """It is no fault of the command's."""
    found = ended("usage: vllm\nvllm: error: argument: invalid choice: 'launch' (choose from x)", 2)
    assert found.answer is Answer.UNKNOWN
    assert "no launch render yet" in found.came


@pytest.mark.parametrize(
    ("log", "last"), [("INFO loading\nINFO still loading\n", "INFO still loading"), ("", "nothing")]
)
def test_a_trial_that_takes_too_long_is_not_known(log, last):
    """With its last words, and where to give it longer."""
    found = ended(log, None)
    assert found.answer is Answer.UNKNOWN
    assert "within 300 s" in found.came
    assert last in found.came
    assert "limits.render" in found.remedy


def test_an_end_without_a_word_is_refused():
    """With its exit code, which is all there is."""
    found = ended("", 137)
    assert found.answer is Answer.REFUSED
    assert found.came == "it ended with exit code 137: it wrote nothing"
