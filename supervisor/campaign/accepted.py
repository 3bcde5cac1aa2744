"""Failures that the user's configuration accepts until a day."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from chaos.judge.check import Kind
from chaos.scenario.scenario import Scenario
from supervisor.settings.model import AcceptedFailure


@dataclass(frozen=True, slots=True)
class Accepted:
    """A failure that the user accepts; looks like a known gap to a report."""

    entry: AcceptedFailure

    @property
    def source(self) -> str:
        """Say who accepts it, and for how long."""
        return f"accepted until {self.entry.until}: {self.entry.reason}"

    def explains(self, _v: str, scenario: Scenario, _k: Kind, _p: str | None) -> bool:
        """Tell whether the user's pattern names this scenario."""
        return fnmatchcase(scenario.key, self.entry.scenario)
