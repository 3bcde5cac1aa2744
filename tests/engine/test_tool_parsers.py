"""The markup by which we name a parser is what the real vLLM's parser of that name looks for."""

import re
from pathlib import Path

import pytest

from chaos.judge.tool_parsers import PARSERS


@pytest.mark.parametrize(
    ("tag", "name"), [(tag, name) for tag, names in PARSERS.items() for name in names]
)
def test_the_parser_that_is_named_looks_for_the_tag(lab_dir: Path, tag: str, name: str):
    """In its own source, as the registry of the package names it."""
    (package,) = (lab_dir / "vllm").glob("lib/python3*/site-packages/vllm")
    registry = (package / "tool_parsers" / "__init__.py").read_text()
    (module,) = re.findall(rf'"{name}": \(\s*(?:#.*\n\s*)?"(\w+)"', registry)
    files = [package / "tool_parsers" / f"{module}.py", *package.glob("parser/*.py")]
    texts = [f.read_text() for f in files if f.stem == module or f.stem.startswith(name[:5])]
    assert any(tag in text for text in texts)
