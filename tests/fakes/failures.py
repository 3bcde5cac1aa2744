"""Drills that failed, as far as an explanation looks at them."""

from dataclasses import replace

from chaos.judge.check import Finding, Kind, Result, Where
from chaos.judge.known_gaps import Failure
from tests.fakes.plans import one_scenario, plan_for
from tests.fakes.topologies import group, topology


def failed_finding(kind, *, where=Where.GATEWAY, hop=None):
    """One finding that failed."""
    return Finding("a check", Result.FAILED, "It failed.", kind, where, hop)


def failure(*findings, version="1.106.2", attempts=None, model="gemini/claude", **scenario):
    """A drill of ``claude`` that failed with these findings, the first one deciding."""
    primary = group("claude", litellm_model=model)
    gateway = topology({"claude": ["local"]}, {"claude": primary})
    scenario = {"surface": "messages", "stream": True, **scenario}
    plan = plan_for(gateway, one_scenario(gateway, "claude", **scenario))
    kind = findings[0].kind or Kind.TOO_LATE
    return Failure(version, plan, kind, findings, attempts or {})


def on_scenario(made: Failure, scenario) -> Failure:
    """The same failure of another scenario."""
    return replace(made, plan=replace(made.plan, scenario=scenario))
