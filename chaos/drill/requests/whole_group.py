"""Which deployments of the serving group have served, over several runs of one plan. Pure.

A gateway balances a group's deployments: one that is dead among two is not found by one request,
and a retry at the other may hide it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from chaos.gateway.topology import Deployment
from chaos.judge.check import Finding, Kind, Result, Where, failed, passed, unknown
from chaos.judge.hop_reply import gave_up_on, trouble, turned_away
from chaos.scenario.plan import DrillPlan, PlannedHop
from chaos.witness.wire_record import AttemptOutcome, WireRecord

NAME = "whole_group"
MOST_RUNS = 6
"""Runs for each deployment: with two of equal weight one is missed once in 4,000 times."""

_Place = tuple[str | None, str]


@dataclass(slots=True)
class WholeGroup:
    """The deployments of the hop that has to serve, and what was seen of each.

    Deployments that ask the same upstream for the same model are one.

    Attributes:
        runs: How often the plan was carried out.
    """

    hop: PlannedHop
    runs: int = 0
    _served: set[_Place] = field(default_factory=set)
    _errors: Counter[_Place] = field(default_factory=Counter)
    _told: dict[_Place, str] = field(default_factory=dict)
    _keyed: set[_Place] = field(default_factory=set)

    @classmethod
    def of(cls, plan: DrillPlan) -> "WholeGroup | None":
        """Make one for *plan*; None where there is nothing to be told apart, or it costs money."""
        hop = plan.hop(plan.scenario.expected_hop or "")
        if hop is None or hop.stand_in or not plan.canary or hop.group not in plan.may_serve:
            return None
        return cls(hop) if len({_place(d) for d in hop.deployments}) > 1 else None

    def note(self, wire: Iterable[WireRecord]) -> None:
        """Take what one run has shown."""
        self.runs += 1
        for record in wire:
            place = self._place_of(record)
            if place is None:
                continue
            if record.outcome is AttemptOutcome.ERRORED and turned_away(record):
                self._keyed.add(place)
                continue
            wrong = _wrong(record)
            if wrong is None and record.outcome is AttemptOutcome.SERVED:
                self._served.add(place)
            elif wrong is not None:
                self._errors[place] += 1
                self._told[place] = wrong

    @property
    def goes_on(self) -> bool:
        """Another run may show a deployment that has not served yet."""
        return bool(self._missing) and self.runs < MOST_RUNS * len(self._places)

    def finding(self) -> Finding:
        """Say whether every deployment served, and which did not."""
        places = self._places
        if not self._missing:
            return passed(NAME, f"All {len(places)} deployments of {self.hop.group} served.")
        dead = [place for place in self._missing if self._errors[place]]
        if dead:
            times = self._errors[dead[0]]
            return failed(
                NAME,
                Kind.HOP_FAILED,
                f"{len(places) - len(self._missing)} of {len(places)} deployments of "
                f"{self.hop.group} served: {self._named(dead[0])} failed {times} of {times} "
                f"times ({self._told[dead[0]]}), and another made it good.",
                where=Where.HOP,
                hop=self.hop.group,
                remedy="Ask this deployment directly with the same request, or take it out of the "
                "group: what it is asked fails, or takes a retry.",
            )
        keyed = [place for place in self._missing if place in self._keyed]
        if keyed:
            return unknown(
                NAME,
                Kind.HOP_NOT_FORWARDABLE,
                f"{len(places) - len(self._missing)} of {len(places)} deployments of "
                f"{self.hop.group} served: {self._named(keyed[0])} turned the drill's canary key "
                "away.",
                hop=self.hop.group,
                remedy="Name the engine's key in the configuration file: "
                f"engines: {{{self.hop.group}: {{url: …, key: {{env: NAME}}}}}}",
            )
        return Finding(
            check=NAME,
            result=Result.UNKNOWN,
            hop=self.hop.group,
            message=f"{len(places) - len(self._missing)} of {len(places)} deployments of "
            f"{self.hop.group} served in {self.runs} runs; {self._named(self._missing[0])} was "
            "never asked, so the hop is only partly proven.",
            remedy="Look at its weight and at the routing strategy, or drill it as a group of its "
            "own.",
        )

    @property
    def _places(self) -> list[_Place]:
        return list(dict.fromkeys(map(_place, self.hop.deployments)))

    @property
    def _missing(self) -> list[_Place]:
        return [place for place in self._places if place not in self._served]

    def _place_of(self, record: WireRecord) -> _Place | None:
        if record.group != self.hop.group:
            return None
        own = [d for d in self.hop.deployments if d.id == record.deployment]
        own = own or [d for d in self.hop.deployments if d.upstream_model == record.model]
        places = {_place(deployment) for deployment in own}
        return places.pop() if len(places) == 1 else None

    def _named(self, place: _Place) -> str:
        base, model = place
        return f"{model} at {base}" if base else model


def _wrong(record: WireRecord) -> str | None:
    """Say how a deployment that was asked gave no answer; None if it gave one, or nobody knows."""
    if gave_up_on(record) and not record.cut:
        return "it had not answered when it was given up"
    if record.outcome is AttemptOutcome.SERVED and record.reply and not record.reply.has_output:
        return trouble(record) or "its reply was empty"
    return trouble(record)


def _place(deployment: Deployment) -> _Place:
    return deployment.base_url, deployment.upstream_model
