"""Parsers and flags of an installed vLLM are read from its source, without importing it."""

import ast
import json
import subprocess
from pathlib import Path

from supervisor.engine import package_listing
from tests.fakes.vllm_package import environment, lazily

SOURCE = Path(package_listing.__file__).read_text("utf-8")

NEW = {
    "__init__.py": "raise RuntimeError('nobody may import this')",
    "_version.py": "__version__ = version = '0.32.0'\n",
    "tool_parsers/__init__.py": lazily(
        "TOOL", gemma4="Gemma4", hermes="Hermes", qwen3_json="Hermes"
    ),
    "reasoning/__init__.py": lazily("REASONING", gemma4="Gemma4"),
}
OLD = {
    "__init__.py": "",
    "entrypoints/openai/tool_parsers/__init__.py": "from .hermes import Hermes\n__all__ = ['x']\n",
    "entrypoints/openai/tool_parsers/hermes.py": (
        '@ToolParserManager.register_module("hermes")\nclass Hermes(ToolParser):\n    pass\n'
    ),
    "entrypoints/openai/tool_parsers/glm.py": (
        '@ToolParserManager.register_module(["glm45", "glm46"], force=True)\nclass Glm:\n    pass\n'
    ),
    "entrypoints/openai/tool_parsers/broken.py": "class (",
    "reasoning/one.py": '@Manager.register_module(name="deepseek_r1")\nclass R1:\n    pass\n',
}


def listed(folder, files):
    """Run the script as it is run in an engine's environment."""
    python = environment(folder, files)
    done = subprocess.run([python, "-I", "-c", SOURCE], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_dictionary_of_names_is_read_with_its_classes(tmp_path):
    """As vLLM has it since December 2025; aliases are told by their class."""
    assert listed(tmp_path, NEW) == {
        "version": "0.32.0",
        "tool": {"gemma4": "file.Gemma4", "hermes": "file.Hermes", "qwen3_json": "file.Hermes"},
        "reasoning": {"gemma4": "file.Gemma4"},
        "flags": [],
    }


def test_decorators_of_older_versions_are_read(tmp_path):
    """At the older place; a file that no Python reads is left out."""
    assert listed(tmp_path, OLD) == {
        "version": None,
        "tool": {"hermes": "Hermes", "glm45": "Glm", "glm46": "Glm"},
        "reasoning": {"deepseek_r1": "R1"},
        "flags": [],
    }


def test_the_newer_place_counts_where_both_are(tmp_path):
    """The older one only warned by then."""
    assert set(listed(tmp_path, OLD | NEW)["tool"]) == {"gemma4", "hermes", "qwen3_json"}


def test_no_vllm_is_an_empty_answer(tmp_path):
    """An environment of something else."""
    assert listed(tmp_path, {}) == {}


def test_a_vllm_without_parsers_offers_none(tmp_path):
    """A layout that is newer than we are."""
    found = listed(tmp_path, {"__init__.py": ""})
    assert (found["tool"], found["reasoning"]) == ({}, {})


def test_the_script_uses_nothing_newer_than_python_3_9():
    """It runs in the engine's environment, not in ours."""
    ast.parse(SOURCE, feature_version=(3, 9))
    assert "import docker" not in SOURCE
    imported = {
        name.name
        for node in ast.walk(ast.parse(SOURCE))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert imported == {"ast", "importlib.util", "json", "pathlib"}


ENGINE_ARGUMENTS = """
class EngineArgs:
    model: str = "m"

    @staticmethod
    def add_cli_args(parser):
        group = parser.add_argument_group(title="ModelConfig")
        group.add_argument("--model", **model_kwargs["model"])
        group.add_argument("--tensor-parallel-size", "-tp", help="--no-flag of its own")
        group.add_argument("--stream-interval", default="--also-none")
        parser.add_argument(f"--{computed}", "model_tag", VARIABLE)
        parser.set_defaults("--neither")
"""
SERVER_ARGUMENTS = '''
LIMIT: int = 3

class BaseFrontendArgs:
    tool_call_parser: str | None = None
    """A field."""
    lora_modules: list[str] | None = None
    plain = 3
    self.attribute: int = 4

    def made(self):
        inside: int = 1

@config
class FrontendArgs(BaseFrontendArgs):
    api_key: list[str] | None = None

class FrontendArgsOfAnother:
    unrelated: int = 0
'''


def test_flags_are_those_that_are_declared(tmp_path):
    """Every name of a call, and none of its other texts; what is computed cannot be read."""
    flags = listed(tmp_path, NEW | {"engine/arg_utils.py": ENGINE_ARGUMENTS})["flags"]
    assert flags == ["--model", "--stream-interval", "--tensor-parallel-size", "-tp"]


def test_fields_of_the_server_s_arguments_are_flags(tmp_path):
    """Of each class that is called so, wherever its file is among the entry points."""
    for number, place in enumerate(("openai", "openai/cli", "launchers")):
        files = {f"entrypoints/{place}/cli_args.py": SERVER_ARGUMENTS}
        flags = listed(tmp_path / str(number), NEW | files)["flags"]
        assert flags == ["--api-key", "--lora-modules", "--tool-call-parser"]


def test_flags_of_all_files_are_listed_once_and_in_order(tmp_path):
    """Subcommands and the parser itself declare some too."""
    one = 'subparser.add_argument("{}", "--headless")\n'
    files = {
        "entrypoints/cli/serve.py": one.format("--api-server-count"),
        "entrypoints/cli/launch.py": one.format("--zeta"),
        "entrypoints/utils.py": one.format("--alpha"),
        "utils/argparse_utils.py": one.format("--config"),
        "benchmarks/serve.py": one.format("--of-another-program"),
    }
    flags = listed(tmp_path, NEW | files)["flags"]
    assert flags == ["--alpha", "--api-server-count", "--config", "--headless", "--zeta"]


def test_files_that_are_missing_or_broken_leave_their_flags_out(tmp_path):
    """The others are read all the same, and the parsers too."""
    files = {
        "engine/arg_utils.py": "def broken(:",
        "entrypoints/cli/serve.py": 'parser.add_argument("--headless")',
    }
    found = listed(tmp_path / "broken", NEW | files)
    assert found["flags"] == ["--headless"]
    assert set(found["tool"]) == {"gemma4", "hermes", "qwen3_json"}
    assert listed(tmp_path / "missing", NEW)["flags"] == []
