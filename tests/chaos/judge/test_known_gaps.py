"""Failures that an untouched LiteLLM shows too."""

from fnmatch import fnmatchcase

import pytest
from packaging.specifiers import SpecifierSet

from chaos.faults.fault import FaultName
from chaos.faults.kinds import FAULTS
from chaos.gateway.topology import Trigger
from chaos.judge.check import Kind
from chaos.judge.known_gaps import KnownGap, load, source_of
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.scenario import Scenario

GAP = KnownGap(
    versions=SpecifierSet(">=1.100,<1.110"),
    scenario="general/billing/*/messages/stream",
    kinds=frozenset({Kind.NEVER_TRIED}),
    primary=frozenset({"gemini"}),
    source="an issue",
)


def scenario(**changes):
    """Make the scenario that GAP explains, but for *changes*."""
    values = {
        "group": "g/with/slashes",
        "chain": ("g/with/slashes", "local"),
        "trigger": Trigger.GENERAL,
        "depth": 1,
        "fault": "billing",
        "faults": {"g/with/slashes": "billing"},
        "shape": "chat",
        "surface": "messages",
        "stream": True,
        **changes,
    }
    return Scenario(**values)


def test_a_gap_explains_its_scenario_in_its_versions():
    """The pattern, the version, the kind and the primary's dialect all fit."""
    assert source_of([GAP], "1.106.2", scenario(), Kind.NEVER_TRIED, "gemini") == "an issue"


def test_a_gap_explains_nothing_else():
    """Another version, kind, surface or dialect is a failure like any other."""
    never = Kind.NEVER_TRIED
    assert source_of([GAP], "1.110.0", scenario(), never, "gemini") is None
    assert source_of([GAP], "unknown", scenario(), never, "gemini") is None
    assert source_of([GAP], "1.106.2", scenario(), Kind.TOO_LATE, "gemini") is None
    assert source_of([GAP], "1.106.2", scenario(surface="responses"), never, "gemini") is None
    assert source_of([GAP], "1.106.2", scenario(stream=False), never, "gemini") is None
    assert source_of([GAP], "1.106.2", scenario(), never, "openai") is None


def test_every_row_of_the_table_has_a_source():
    """A gap without a source would be an excuse."""
    assert all(gap.source and gap.kinds for gap in load())


@pytest.mark.parametrize("gap", load(), ids=lambda gap: gap.scenario)
def test_a_pattern_names_what_there_is(gap):
    """A typing error in the table would explain nothing, silently."""
    parts = gap.scenario.split("/")
    assert FaultName.parse(parts[1].removesuffix("*")).name in FAULTS
    assert gap.primary <= DIALECTS.keys()
    if len(parts) == 5:
        assert any(fnmatchcase(name, parts[3]) for name in SURFACES)
        assert parts[4] in ("stream", "whole", "*")
    else:
        assert parts[2:] == ["*"]
