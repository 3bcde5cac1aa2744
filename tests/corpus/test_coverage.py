"""What the corpus covers; no LiteLLM is needed to count."""

import json
from collections import Counter
from fnmatch import fnmatchcase
from itertools import product

import pytest

from chaos.drill.report import row_of
from chaos.judge.check import Kind
from chaos.judge.known_gaps import load
from chaos.protocol.surfaces import SURFACES
from tests.corpus.format import CORPUS, CorpusFile, read_corpus
from tests.corpus.runner import Came, difference
from tests.fakes.one_drill import one

MEASURED_ON = "1.106.2"
LEAST_FAILING = 45
LEAST_HEALTHY = 20

FILES = read_corpus()
CASES = [(spec, case) for spec in FILES.values() for case in spec.cases]
FAILING = [case for _, case in CASES if case.fails]
HEALTHY = [case for _, case in CASES if case.expect.outcome == "passed"]
WAYS = [
    (name, stream)
    for (name, surface), stream in product(SURFACES.items(), (False, True))
    if surface.streams or not stream
]


def test_there_are_enough_cases():
    """Failures are many, and so are healthy gateways, which keep the checks honest."""
    assert len(FAILING) >= LEAST_FAILING
    assert len(HEALTHY) >= LEAST_HEALTHY


@pytest.mark.parametrize("kind", [kind for kind in Kind if not kind.is_reason])
def test_every_kind_of_failure_has_a_case(kind):
    """A verdict kind that a real LiteLLM never showed could not be trusted."""
    assert kind in {case.expect.kind for case in FAILING}


@pytest.mark.parametrize(("surface", "stream"), WAYS)
def test_every_surface_has_both(surface, stream):
    """On every surface, streamed and not, something fails and something holds."""
    way = (surface, stream)
    assert way in {(case.drill.surface, case.drill.stream) for case in FAILING}
    assert way in {(case.drill.surface, case.drill.stream) for case in HEALTHY}


def test_names_are_unique():
    """A name tells which case is meant, whatever its file."""
    twice = [name for name, count in Counter(case.name for _, case in CASES).items() if count > 1]
    assert not twice


def test_only_failures_are_gaps():
    """What passes is no gap."""
    assert all(case.fails for _, case in CASES if case.gap)


@pytest.mark.parametrize("source", {gap.source: None for gap in load()})
def test_every_known_gap_has_a_case(source):
    """A row that nothing shows would excuse failures for ever."""
    rows = [gap for gap in load() if gap.source == source]
    assert any(
        case.expect.kind in gap.kinds
        and fnmatchcase(case.scenario.pattern, gap.scenario)
        and (not gap.primary or spec.primary_dialect(case) in gap.primary)
        for gap in rows
        for spec, case in CASES
        if case.gap and case.expect.kind is not None
    )


def test_the_schema_is_that_of_the_format():
    """Editors check files against the schema that lies beside them."""
    schema = json.loads((CORPUS / "schema.json").read_text("utf-8"))
    assert schema == CorpusFile.model_json_schema()


async def test_a_mended_bug_is_told_as_one():
    """A failing case that passes with a newer LiteLLM turns red, and names its source."""
    case = FAILING[0]
    told = difference(case, Came(row_of(await one(), litellm_version="9.9"), "9.9"))
    assert told is not None
    assert "LiteLLM 9.9 may have mended it" in told
    assert case.source in told


async def test_what_comes_out_as_expected_differs_in_nothing():
    """A healthy case that passed is told as such."""
    assert difference(HEALTHY[0], Came(row_of(await one(), litellm_version="9.9"), "9.9")) is None


def test_a_broken_file_is_refused_with_its_name(tmp_path):
    """Every problem of a file is told at once, and which file it is."""
    (tmp_path / "broken.yaml").write_text("about: nothing\nengine: {}\ncases: []\n")
    with pytest.raises(ValueError, match=r"broken\.yaml:(?s:.*)cases(?s:.*)engine"):
        read_corpus(tmp_path)
