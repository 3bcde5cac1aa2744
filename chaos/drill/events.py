"""What happens in a campaign, one value after the other: all that a listener needs to know.

CampaignPlanned, then for each plan DrillStarted and DrillEnded, at last CampaignEnded
"""

from dataclasses import dataclass

from chaos.drill.drill import Drill
from chaos.scenario.plan import DrillPlan


@dataclass(frozen=True, slots=True)
class CampaignPlanned:
    """These will be drilled, in this order."""

    plans: tuple[DrillPlan, ...]


@dataclass(frozen=True, slots=True)
class DrillStarted:
    """A drill has begun."""

    plan: DrillPlan


@dataclass(frozen=True, slots=True)
class DrillEnded:
    """A drill has ended, or was refused."""

    drill: Drill


@dataclass(frozen=True, slots=True)
class CampaignEnded:
    """All is done, or was stopped.

    Attributes:
        stopped: Not everything that was planned has been drilled.
        revised: The last drill, judged anew: what it did to others was seen only after it. It
            takes the place of the one with the same plan id.
        late: Attempts of the gateway that came after their drill had ended.
        strays: Requests that came to the witness without a live drill's nonce.
    """

    stopped: bool = False
    revised: Drill | None = None
    late: int = 0
    strays: int = 0


Event = CampaignPlanned | DrillStarted | DrillEnded | CampaignEnded
