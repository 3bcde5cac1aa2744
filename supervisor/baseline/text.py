"""What an engine is asked to write while it is timed: always the same, at temperature 0.

Speculative decoding guesses code better than prose and JSON better than code, so one text says
little about the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chaos.registry import index

MAX_TOKENS = 512


@dataclass(frozen=True, slots=True)
class BenchmarkText:
    """One prompt."""

    name: str
    prompt: str


PROSE = BenchmarkText("prose", "Write about 200 words on the history of Paris.")
CODE = BenchmarkText(
    "code",
    "Write a Python module with a class LruCache: get, put, delete, a maximum size, an optional "
    "time to live, type hints and docstrings. Answer with the code alone.",
)
JSON = BenchmarkText(
    "json",
    "Write a JSON array of 15 objects, one for each of 15 rivers of Europe, with the keys name, "
    "length_km, source, mouth and countries (an array of strings). Answer with the JSON alone.",
)

TEXTS: Mapping[str, BenchmarkText] = index(PROSE, CODE, JSON)
"""The default set, its own first: that one's speed is shown where there is room for one."""
