"""Failures that an untouched LiteLLM shows too."""

from packaging.specifiers import SpecifierSet

from chaos.check import Kind
from chaos.known_gaps import KnownGap, load, source_of
from chaos.scenario import Scenario
from chaos.topology import Trigger

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
