"""How a drill should end: a fallback serves, or the client is refused, as the user says.

Failing closed can be right: a key that may not use the fallback, a policy that no failure may walk
around. What is expected is decided once, in the plan, and every check is asked with it.
"""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


class Expected(StrEnum):
    """How a drill should end.

    ``refused`` and ``error`` turn around what a good end is: an answer is a failure there.
    """

    SERVED = "served"  # by the hop whose turn it is, or one honest error where none is left
    REFUSED = "refused"  # with one 4xx, and no fallback is asked
    ERROR = "error"  # with one error of any status, whichever hops were asked


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the user expects of the scenarios of one pattern.

    Attributes:
        scenario: Pattern for ``Scenario.key``, with ``*`` and ``?``.
        reason: Why, for people who read the report.
    """

    scenario: str
    outcome: Expected
    reason: str

    def covers(self, key: str) -> bool:
        """Tell whether the scenario of this *key* is meant."""
        return fnmatchcase(key, self.scenario)


AS_USUAL = Expectation("*", Expected.SERVED, "")
"""What is expected of every scenario of which the user says nothing."""
