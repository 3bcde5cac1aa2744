"""The parsers of an installed vLLM are read from its source, old and new, without importing it."""

import ast
import json
import subprocess
from pathlib import Path

from supervisor.engine import parser_listing
from tests.fakes.vllm_package import environment, lazily

SOURCE = Path(parser_listing.__file__).read_text("utf-8")

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
    }


def test_decorators_of_older_versions_are_read(tmp_path):
    """At the older place; a file that no Python reads is left out."""
    assert listed(tmp_path, OLD) == {
        "version": None,
        "tool": {"hermes": "Hermes", "glm45": "Glm", "glm46": "Glm"},
        "reasoning": {"deepseek_r1": "R1"},
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
