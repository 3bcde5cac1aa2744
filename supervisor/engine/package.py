"""Ask an engine's own package which parsers and flags it offers, and find those of a model.

The list is never ours: it changes with every release of vLLM. It is read from the package's
source by ``supervisor.engine.package_listing``, run in the engine's environment or container.
"""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from chaos.errors import SetupError, UnderstudyError
from supervisor.settings.model import EngineSettings

WITHIN_S = 20.0
LEAST_LETTERS = 4
"""Shorter names (``hf``) occur in model names by chance."""


@dataclass(frozen=True, slots=True)
class Parsers:
    """The parsers that an engine's package offers.

    Attributes:
        classes: By name of a tool-call parser: the class behind it; two names of one class are
            the same parser.
        flags: Of its command line, with their dashes; empty where they are not declared in a way
            that is known.
        where: Where they were listed.
        problem: Why they cannot be listed; empty if they could.
    """

    tool: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()
    version: str | None = None
    classes: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    problem: str = ""
    remedy: str = ""
    flags: tuple[str, ...] = ()

    def same(self, one: str, other: str) -> bool:
        """Tell whether two names mean the same tool-call parser."""
        known = self.classes.get(one)
        return one == other or (bool(known) and known == self.classes.get(other))


async def list_parsers(engine: EngineSettings) -> Parsers | None:
    """List the parsers where the settings say that the package is; None if they do not say."""
    if engine.python is not None:
        return await asyncio.to_thread(_from_environment, engine.python.expanduser())
    if engine.container is not None:
        return await asyncio.to_thread(_from_container, engine.container)
    return None


def fitting(names: Iterable[str], models: Sequence[str]) -> tuple[str, ...]:
    """Find the parsers that are named after a model.

    A guess from names alone, which vLLM's own naming makes a good one: ``gemma4`` is in
    ``google/gemma-4-26B-A4B-it``. It cannot find a parser with another name (``hermes`` for
    Qwen 2.5), nor tell apart parsers of one family (``qwen3_coder``, ``qwen3_json``): then
    several are returned. Only a drill proves the choice.

    Args:
        names: What the package offers.
        models: What the model is called, most trustworthy first: its checkpoint, its
            architecture, the name that it is served by.

    Returns:
        The best: one where it is clear, several where it is not, none where no name fits.
    """
    offered = {name: _letters(name) for name in names if len(_letters(name)) >= LEAST_LETTERS}
    for model in map(_letters, models):
        whole = {name: plain for name, plain in offered.items() if plain in model}
        best = [
            name
            for name, plain in whole.items()
            if not any(plain != other and plain in other for other in whole.values())
        ]
        family = [
            name
            for name in offered
            if "_" in name
            and len(_letters(name.split("_")[0])) >= LEAST_LETTERS
            and _letters(name.split("_")[0]) in model
        ]
        if best or family:
            return tuple(sorted(best or family, key=lambda name: (-len(name), name)))
    return ()


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def listing_script() -> str:
    """The program that lists them, for a Python that has vLLM."""
    return files("supervisor.engine").joinpath("package_listing.py").read_text("utf-8")


def _from_environment(python: Path) -> Parsers:
    executable = python / "bin" / "python" if python.is_dir() else python
    try:
        done = subprocess.run(
            [str(executable), "-I", "-c", listing_script()],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=WITHIN_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = getattr(error, "strerror", None) or f"no answer within {WITHIN_S:g} s"
        return Parsers(
            where=str(executable),
            problem=f"{executable} cannot list its parsers: {why}",
            remedy="Name the Python that runs vLLM, or its environment's folder, below engines.",
        )
    return read_listing(done.stdout, str(executable), done.stderr)


def _from_container(name: str) -> Parsers:
    from supervisor.engine import container as containers  # noqa: PLC0415 -- many megabytes

    where = f"container {name}"
    try:
        with containers.open_container(name) as container:
            trouble = containers.trouble_of(container)
            if trouble:
                raise SetupError(trouble, remedy=f"Start it: docker start {name}")
            for python in ("python3", "python"):
                code, output = containers.output_of(
                    container, [python, "-I", "-c", listing_script()]
                )
                if code == 0:
                    return read_listing(output, where)
    except UnderstudyError as error:
        return Parsers(where=where, problem=error.message, remedy=error.remedy)
    return Parsers(
        where=where,
        problem=f"the container {name!r} has no Python that lists vLLM's parsers",
        remedy=f"Look: docker exec {name} vllm serve --help=tool-call-parser",
    )


def read_listing(output: str, where: str, errors: str = "") -> Parsers:
    """Read what that program printed.

    Args:
        errors: What it wrote to stderr.
    """
    try:
        found = json.loads(output.strip().splitlines()[-1])
    except (ValueError, IndexError):
        lines = errors.strip().splitlines()
        why = lines[-1][:200] if lines else "it prints no list"
        return _none(where, why)
    if not isinstance(found, dict) or not found:
        return _none(where, "it has no vLLM")
    tool, reasoning = _names(found.get("tool")), _names(found.get("reasoning"))
    version = found.get("version")
    if not tool:
        return _none(where, "its vLLM registers parsers in a way that Understudy does not know")
    return Parsers(
        tuple(sorted(tool)),
        tuple(sorted(reasoning)),
        version if isinstance(version, str) else None,
        tool,
        where,
        flags=tuple(flag for flag in found.get("flags") or () if isinstance(flag, str)),
    )


def _names(found: object) -> dict[str, str]:
    return {str(n): str(c) for n, c in found.items()} if isinstance(found, dict) else {}


def _none(where: str, why: str) -> Parsers:
    return Parsers(
        where=where,
        problem=f"{where} does not list the parsers of vLLM: {why}",
        remedy="Name the Python that runs vLLM, or its container, below engines.",
    )
