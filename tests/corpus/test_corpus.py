"""The corpus: real failures, and healthy gateways, against a real LiteLLM.

A file's LiteLLM starts with the first of its cases and runs them all; each case is judged by
itself. Known gaps are off: a failure has to come out as one.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.corpus.format import CORPUS, read_corpus
from tests.corpus.runner import Came, difference, run_file

FOLDER = Path(os.environ.get("UNDERSTUDY_CORPUS") or CORPUS)
FILES = read_corpus(FOLDER)

RunOnce = Callable[[str], dict[str, Came]]


@pytest.fixture(scope="session")
def outcomes(litellm_executable, tmp_path_factory) -> RunOnce:
    """Run a file when its first case asks, and remember how its cases came out."""
    ran: dict[str, dict[str, Came] | Exception] = {}

    def of(name: str) -> dict[str, Came]:
        if name not in ran:
            directory = tmp_path_factory.mktemp(name) / "litellm"
            running = run_file(FILES[name], executable=litellm_executable, directory=directory)
            try:
                ran[name] = asyncio.run(running)
            except Exception as error:  # noqa: BLE001 -- every case of the file tells it
                ran[name] = error
        came = ran[name]
        if isinstance(came, Exception):
            raise came
        return came

    return of


@pytest.mark.litellm
@pytest.mark.parametrize(
    ("file", "case"),
    [
        pytest.param(name, case, id=f"{name}-{case.name}")
        for name, spec in FILES.items()
        for case in spec.cases
    ],
)
def test_a_case_comes_out_as_it_should(outcomes, file, case):
    """What failed in the world fails here, for the same reason; what is healthy passes."""
    came = outcomes(file)[case.name]
    differs = difference(case, came)
    assert differs is None, differs


def _gaps(file: str, came: dict[str, Came]) -> Iterator[tuple[str, Came, bool]]:
    """Say of each case how it came out, and whether it is to be a known gap there."""
    for case in FILES[file].cases:
        if case.name in came:
            one = came[case.name]
            yield case.name, one, case.is_gap_on(one.version)


@pytest.mark.litellm
@pytest.mark.parametrize("file", FILES)
def test_known_gaps_excuse_only_what_an_untouched_litellm_does(outcomes, file):
    """A failure is a known gap exactly if its case says so; no setting of a user is excused."""
    came = outcomes(file)
    wrong = [
        f"{name}: {'should be' if gap else 'is'} a known gap ({one.row.known_gap or 'no row'})"
        for name, one, gap in _gaps(file, came)
        if gap != (one.row.known_gap is not None)
    ]
    assert not wrong, "\n".join(wrong)
