"""Failures that an untouched LiteLLM shows too."""

from dataclasses import replace
from fnmatch import fnmatchcase

import pytest
from packaging.specifiers import SpecifierSet

from chaos.faults.fault import FaultName
from chaos.faults.kinds import FAULTS
from chaos.judge.check import Kind, Where
from chaos.judge.known_gaps import NEVER_EXPLAINED, KnownGap, explanation, load
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.expectation import Expectation, Expected
from tests.fakes.failures import failed_finding, failure

GAP = KnownGap(
    versions=SpecifierSet(">=1.100,<1.110"),
    scenario="general/billing/*/messages/stream",
    kinds=frozenset({Kind.NEVER_TRIED}),
    primary=frozenset({"gemini"}),
    source="an issue",
)


NEVER = failed_finding(Kind.NEVER_TRIED, hop="local")


def told(*findings, gap=GAP, **changes):
    """The source of the gap that explains a drill; None if it does not."""
    return explanation([gap], failure(*findings, **changes))


def test_a_gap_explains_its_scenario_in_its_versions():
    """The pattern, the version, the kind and the primary's dialect all fit."""
    assert told(NEVER) == "an issue"


def test_a_gap_explains_nothing_else():
    """Another version, kind, surface or dialect is a failure like any other."""
    assert told(NEVER, version="1.110.0") is None
    assert told(NEVER, version="unknown") is None
    assert told(failed_finding(Kind.TOO_LATE)) is None
    assert told(NEVER, surface="responses") is None
    assert told(NEVER, stream=False) is None
    assert told(NEVER, model="openai/gpt") is None


def test_a_gap_explains_a_drill_only_if_it_explains_every_finding():
    """What else failed hides behind no gap, unless the row says that it comes with it."""
    inband = failed_finding(Kind.INBAND_ERROR)
    assert told(NEVER, inband) is None
    assert told(NEVER, inband, gap=replace(GAP, besides=frozenset({Kind.INBAND_ERROR})))
    # What may come besides is no explanation by itself.
    assert told(inband, gap=replace(GAP, besides=frozenset({Kind.INBAND_ERROR}))) is None


@pytest.mark.parametrize("kind", sorted(NEVER_EXPLAINED))
def test_what_others_felt_and_what_a_hop_was_asked_are_never_explained(kind):
    """Not by a row of the table, and not by one that lists the very kind."""
    everything = replace(GAP, kinds=frozenset(Kind), besides=frozenset(Kind))
    assert told(NEVER, gap=everything) == "an issue"
    assert told(NEVER, failed_finding(kind), gap=everything) is None


def test_a_gap_is_about_the_gateway_where_it_goes_wrong():
    """A hop that fails the same way is a hop that fails."""
    assert told(failed_finding(Kind.NEVER_TRIED, where=Where.HOP, hop="local")) is None
    assert told(failed_finding(Kind.NEVER_TRIED, hop="claude")) is None
    cut = replace(GAP, kinds=frozenset({Kind.TRUNCATED_REPLY}))
    assert told(failed_finding(Kind.TRUNCATED_REPLY, hop="claude"), gap=cut) == "an issue"
    assert told(failed_finding(Kind.TRUNCATED_REPLY, hop="local"), gap=cut) is None


def test_retries_are_explained_up_to_their_count():
    """A client library tries three times as often, and no more."""
    storm = replace(GAP, kinds=frozenset({Kind.RETRY_STORM}), most_attempts=9)
    finding = failed_finding(Kind.RETRY_STORM, hop="claude")
    assert told(finding, gap=storm, attempts={"claude": 9}) == "an issue"
    assert told(finding, gap=storm, attempts={"claude": 10}) is None


def test_every_row_of_the_table_has_a_source():
    """A gap without a source would be an excuse."""
    assert all(gap.source and gap.kinds for gap in load())


@pytest.mark.parametrize("gap", load(), ids=lambda gap: gap.scenario)
def test_a_pattern_names_what_there_is(gap):
    """A typing error in the table would explain nothing, silently."""
    parts = gap.scenario.split("/")
    if parts[1] != "*":
        assert FaultName.parse(parts[1].removesuffix("*")).name in FAULTS
    else:
        # Whatever the primary's fault is: the gap is in the serving hop's answer.
        assert gap.serving
    assert gap.primary | gap.serving <= DIALECTS.keys()
    if len(parts) == 5:
        assert any(fnmatchcase(name, parts[3]) for name in SURFACES)
        assert parts[4] in ("stream", "whole", "*")
    else:
        assert parts[2:] == ["*"]


@pytest.mark.parametrize(
    ("fault", "shape", "model", "also"),
    [
        ("tool_call_cut", "tool_call", "gemini/claude", Kind.TOOL_CALL_MISSING),
        ("malformed_chunk", "chat", "anthropic/claude", Kind.ANSWER_DEGRADED),
    ],
)
def test_what_a_cut_stream_does_to_the_rest_of_the_answer_is_explained_with_it(
    fault, shape, model, also
):
    """A call that was cut is missing, and a broken event that is passed on breaks the form."""
    findings = (
        failed_finding(Kind.TRUNCATED_REPLY, hop="claude"),
        failed_finding(also, hop="claude"),
    )
    made = failure(*findings, model=model, fault=fault, shape=shape)
    assert explanation(load(), made) is not None
    alone = failure(findings[1], model=model, fault=fault, shape=shape)
    assert explanation(load(), alone) is None


def test_a_gap_does_not_excuse_an_answer_where_a_refusal_is_expected():
    """That an untouched LiteLLM falls back there too is what the settings forbid."""
    gap = replace(GAP, kinds=frozenset({Kind.WRONG_HOP, Kind.MISREPORTED}))
    wrong = failure(failed_finding(Kind.WRONG_HOP))
    assert explanation([gap], wrong) == "an issue"
    for end in (Expected.REFUSED, Expected.ERROR):
        plan = replace(wrong.plan, expectation=Expectation("*", end, "policy"))
        assert explanation([gap], replace(wrong, plan=plan)) is None


@pytest.mark.parametrize(
    ("dialect", "hop", "explained"),
    [("ollama", "local", True), ("vllm", "local", False), ("ollama", "claude", False)],
)
def test_a_gap_in_reading_an_answer_is_about_the_hop_that_gives_it(dialect, hop, explained):
    """Of that hop's dialect, and of no other hop."""
    kind = Kind.TOOL_CALL_INVALID
    gap = replace(GAP, serving=frozenset({"ollama"}), kinds=frozenset({kind}))
    found = failure(failed_finding(kind, hop=hop))
    hops = tuple(
        replace(one, deployments=tuple(replace(d, dialect=dialect) for d in one.deployments))
        if one.group == "local"
        else one
        for one in found.plan.hops
    )
    there = replace(found, plan=replace(found.plan, hops=hops))
    assert (explanation([gap], there) is not None) is explained
