"""The corpus on other versions of LiteLLM, each in an environment of its own beside the lab's.

One old version and one new one on a small set; all on everything by ``make test-versions``.
"""

import asyncio
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from chaos.gateway.install import install_litellm
from tests.corpus.format import read_corpus
from tests.corpus.runner import difference, run_file

BY_TWIN = {"1.82.6": True, "1.103.0": False, "1.106.12": False, "1.108.6": False}
"""Before 1.103.0 LiteLLM keeps for every caller what a redirect says: there a twin is drilled."""

ROWS_SINCE = Version("1.106")
FILES = read_corpus()
SMALL = {("1.82.6", "healthy"), ("1.108.6", "engines")}
"""What every commit is tried with."""

LEFT_OUT = {("1.82.6", "untouched")}
"""LiteLLM 1.82.6 hangs after some of these faults, now here, now there; no gap is claimed of it."""


def told(line: str) -> None:
    """Tell whoever waits that something is installed."""
    sys.stderr.write(f"{line}\n")


@pytest.mark.litellm
@pytest.mark.parametrize(
    ("version", "file"),
    [
        pytest.param(
            version,
            file,
            marks=() if (version, file) in SMALL else pytest.mark.versions,
        )
        for version in BY_TWIN
        for file in FILES
        if (version, file) not in LEFT_OUT
    ],
)
def test_every_case_comes_out_as_on_that_version(
    version: str, file: str, lab_dir: Path, tmp_path: Path
):
    """A verdict follows from what happened, whichever LiteLLM it was; so do the known gaps."""

    async def run():
        executable = await install_litellm(lab_dir, version, say=told)
        spec, by_twin = FILES[file], BY_TWIN[version]
        return await run_file(spec, executable=executable, directory=tmp_path, by_twin=by_twin)

    came = asyncio.run(run())
    differs = []
    for case in FILES[file].cases:
        one = came.get(case.name)
        if not case.runs_on(version):
            continue
        if one is None:
            assert case.by_redirect_only, case.name
            continue
        assert one.version == version
        differs.append(difference(case, one))
        gap = one.row.known_gap
        if gap is not None and not case.gap:
            differs.append(f"{case.name}: is no known gap, but {gap} says so")
        # The rows were written for 1.106; not all of them were there before.
        if gap is None and case.is_gap_on(version) and Version(version) >= ROWS_SINCE:
            differs.append(f"{case.name}: should be a known gap; no row says so")
    assert not [one for one in differs if one], "\n".join(one for one in differs if one)
