"""Failures that the user's configuration accepts until a day."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from chaos.judge.known_gaps import Failure
from supervisor.settings.model import AcceptedFailure


@dataclass(frozen=True, slots=True)
class Accepted:
    """A failure that the user accepts; looks like a known gap to a report."""

    entry: AcceptedFailure

    @property
    def source(self) -> str:
        """Say who accepts it, and for how long."""
        return f"accepted until {self.entry.until}: {self.entry.reason}"

    def explains(self, failure: Failure) -> bool:
        """Tell whether the user accepts all that failed.

        Without kinds of his own an entry accepts one kind of failure, whichever it is: what else
        breaks on the same drill later was never looked at.
        """
        if not fnmatchcase(failure.plan.scenario.key, self.entry.scenario):
            return False
        failed = {finding.kind for finding in failure.findings}
        hops = {finding.hop for finding in failure.findings} - {None}
        if self.entry.hop is not None and hops - {self.entry.hop}:
            return False
        return failed <= set(self.entry.kinds) if self.entry.kinds else len(failed) == 1
