"""Which parsers there are the engine's own package says; which one fits a model, their names."""

import json

import pytest

from supervisor.engine import package as engine_package
from supervisor.engine.package import Parsers, fitting, list_parsers, read_listing
from supervisor.settings.model import EngineSettings
from tests.fakes.docker import FakeContainer, docker_with
from tests.fakes.vllm_package import environment, lazily

PACKAGE = {
    "__init__.py": "",
    "_version.py": "__version__ = version = '0.32.0'\n",
    "tool_parsers/__init__.py": lazily("TOOL", hermes="Hermes", gemma4="Gemma4", qwen3="Hermes"),
    "reasoning/__init__.py": lazily("REASONING", gemma4="Gemma4"),
}
OFFERED = (
    "deepseek_v3",
    "deepseek_v31",
    "gemma4",
    "granite",
    "granite-20b-fc",
    "hermes",
    "hf",
    "llama3_json",
    "llama4_json",
    "llama4_pythonic",
    "mistral",
    "phi4_mini_json",
    "qwen3_coder",
    "qwen3_json",
)


def engine(**places):
    """An engine whose package is there."""
    return EngineSettings(url="http://127.0.0.1:8000", **places)


@pytest.mark.parametrize("named", ["python", "folder"])
async def test_an_environment_is_asked_by_its_own_python(tmp_path, named):
    """The folder of an environment will do, too."""
    python = environment(tmp_path, PACKAGE)
    found = await list_parsers(engine(python=python if named == "python" else tmp_path))
    assert found is not None
    assert (found.tool, found.reasoning) == (("gemma4", "hermes", "qwen3"), ("gemma4",))
    assert (found.version, found.where, found.problem) == ("0.32.0", str(python), "")
    assert found.same("qwen3", "hermes")
    assert not found.same("qwen3", "gemma4")
    assert found.same("plugin", "plugin")
    assert not found.same("plugin", "other")


async def test_a_container_is_asked_by_its_python(tmp_path, monkeypatch):
    """Under whichever name it has one."""
    answer = json.dumps({"version": None, "tool": {"gemma4": "G"}, "reasoning": {}})
    container = FakeContainer(output={"python": f"a warning\n{answer}\n"})
    with docker_with(container, tmp_path) as url:
        monkeypatch.setenv("DOCKER_HOST", url)
        found = await list_parsers(engine(container="vllm"))
    assert found == Parsers(("gemma4",), (), None, {"gemma4": "G"}, "container vllm")
    assert [command[:2] for command in container.ran] == [["python3", "-I"], ["python", "-I"]]


async def test_the_flags_of_an_environment_are_read(tmp_path):
    """In order, beside its parsers."""
    declared = 'parser.add_argument("--model")\nparser.add_argument("--dtype", "-d")\n'
    python = environment(tmp_path, PACKAGE | {"engine/arg_utils.py": declared})
    found = await list_parsers(engine(python=python))
    assert found is not None
    assert found.flags == ("--dtype", "--model", "-d")
    assert found.tool == ("gemma4", "hermes", "qwen3")


@pytest.mark.parametrize(
    ("told", "flags"),
    [
        ({"flags": ["--model", "-tp"]}, ("--model", "-tp")),
        ({"flags": ["--model", 3, None]}, ("--model",)),
        ({"flags": []}, ()),
        ({"flags": None}, ()),
        ({}, ()),
    ],
)
def test_flags_are_read_as_far_as_they_are_texts(told, flags):
    """A listing without them is none that failed."""
    listing = json.dumps({"version": "1", "tool": {"hermes": "H"}, "reasoning": {}, **told})
    found = read_listing(listing, "here")
    assert (found.flags, found.problem) == (flags, "")


async def test_nothing_is_run_where_the_settings_name_nothing():
    """Not in a container that happens to be there, either."""
    assert await list_parsers(engine()) is None


@pytest.mark.parametrize(
    ("script", "part"),
    [
        ("echo '{}'", "it has no vLLM"),
        ("echo '[1]'", "it has no vLLM"),
        ("echo nonsense", "it prints no list"),
        ("exit 0", "it prints no list"),
        ("echo 'ModuleNotFoundError: x' >&2; exit 1", "ModuleNotFoundError: x"),
        ('echo \'{"version": "1", "tool": {}}\'', "does not know"),
    ],
)
async def test_a_python_that_cannot_tell_is_a_fact(tmp_path, script, part):
    """With a remedy, and without parsers."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    found = await list_parsers(engine(python=python))
    assert found is not None
    assert part in found.problem
    assert found.remedy
    assert found.tool == ()


async def test_a_python_that_is_not_there_or_hangs_is_a_fact(tmp_path, monkeypatch):
    """Nobody waits for it: it would take longer than any test."""
    monkeypatch.setattr(engine_package, "WITHIN_S", 0.2)
    hanging = tmp_path / "python"
    hanging.write_text("#!/bin/sh\nexec sleep 100000\n")
    hanging.chmod(0o755)
    for python, why in ((hanging, "no answer"), (tmp_path / "none", "No such file")):
        found = await list_parsers(engine(python=python))
        assert found is not None
        assert why in found.problem


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"status": "exited"}, "is not running: exited"),
        ({"ends_when_asked": True}, "is not running: exited, exit code 1"),
        ({"output": {}}, "has no Python"),
        ({"output": {"python3": "{}"}}, "it has no vLLM"),
        ({"name": "other"}, "there is no container 'vllm'"),
    ],
)
async def test_a_container_that_cannot_tell_is_a_fact(tmp_path, monkeypatch, changes, part):
    """It may be stopped, of another program, or misspelt."""
    with docker_with(FakeContainer(**changes), tmp_path) as url:
        monkeypatch.setenv("DOCKER_HOST", url)
        found = await list_parsers(engine(container="vllm"))
    assert found is not None
    assert part in found.problem
    assert found.remedy


@pytest.mark.parametrize(
    ("model", "parsers"),
    [
        ("google/gemma-4-26B-A4B-it", ("gemma4",)),
        ("Gemma4ForConditionalGeneration", ("gemma4",)),
        ("google/gemma-3-4b-it", ()),
        ("deepseek-ai/DeepSeek-V3.1", ("deepseek_v31",)),
        ("deepseek-ai/DeepSeek-V3-0324", ("deepseek_v3",)),
        ("Qwen/Qwen3-Coder-30B-A3B", ("qwen3_coder",)),
        ("Qwen/Qwen3-30B-A3B", ("qwen3_coder", "qwen3_json")),
        ("Qwen/Qwen2.5-7B-Instruct", ()),
        ("meta-llama/Llama-3.1-8B-hf", ("llama3_json",)),
        ("meta-llama/Llama-4-Scout", ("llama4_pythonic", "llama4_json")),
        ("ibm-granite/granite-20b-functioncalling", ("granite",)),
        ("NousResearch/Hermes-3-Llama-3.1-8B", ("hermes",)),
        ("", ()),
    ],
)
def test_a_parser_is_found_by_its_name_in_the_model_s(model, parsers):
    """The longest name, then the family; several where names cannot decide; none is honest."""
    assert fitting(OFFERED, [model]) == parsers


def test_the_checkpoint_tells_more_than_the_name_it_is_served_by():
    """An alias may be the name of what it stands in for."""
    assert fitting(OFFERED, ["google/gemma-4", "mistral-large"]) == ("gemma4",)
    assert fitting(OFFERED, ["/models/mine", "mistral-large"]) == ("mistral",)
    assert fitting((), ["google/gemma-4"]) == ()
