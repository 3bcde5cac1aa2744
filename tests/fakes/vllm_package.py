"""An environment that has a vLLM, as far as its parsers are listed."""

import sys
from pathlib import Path

DICTIONARY = """
_{kind}_PARSERS_TO_REGISTER: dict[str, tuple[str, str]] = {{
{rows}
}}
raise RuntimeError("nobody may import this")
"""


def lazily(kind: str, **names: str) -> str:
    """Write a registry as vLLM does since December 2025: class by name."""
    rows = "\n".join(f'    "{name}": ("file", "{found}"),' for name, found in names.items())
    return DICTIONARY.format(kind=kind, rows=rows)


def environment(folder: Path, files: dict[str, str]) -> Path:
    """Make an environment with these files in its package; returns its Python.

    It is this Python, which finds the package by a path that is put before its own.
    """
    for name, text in files.items():
        file = folder / "site" / "vllm" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    python = folder / "bin" / "python"
    python.parent.mkdir()
    start = f"import sys; sys.path.insert(0, {str(folder / 'site')!r}); exec(sys.argv[1])"
    # It is called as: python -I -c SCRIPT
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -c "{start}" "$3"\n')
    python.chmod(0o755)
    return python
