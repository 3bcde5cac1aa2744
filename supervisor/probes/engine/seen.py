"""Everything that was seen in one look at an engine, without opinion."""

from dataclasses import dataclass, field

from supervisor.engine_facts import EngineFacts
from supervisor.probes.engine.ask import Asked
from supervisor.probes.engine.vitals import Vitals


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still well.

    Attributes:
        answer_s: For everything that needs no model.
        first_token_s: For a request of one token; D1 of the rule for a hung engine.
        slow_s: A request of one token that takes longer is slow.
    """

    answer_s: float = 3.0
    first_token_s: float = 10.0
    slow_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Generation:
    """A request of one token, with the engine's vitals before and after.

    Attributes:
        load: Requests that the server has in its hands, while ours was; None if it does not say.
    """

    asked: Asked
    before: Vitals
    after: Vitals
    load: float | None = None

    @property
    def moved(self) -> bool | None:
        """The heartbeat went on meanwhile; None if there is none."""
        if self.before.steps is None or self.after.steps is None:
            return None
        return self.after.steps != self.before.steps


@dataclass(frozen=True, slots=True)
class Seen:
    """One look; None for what was not asked.

    Attributes:
        starts: When the process that answered was started, each time that metrics were asked.
    """

    facts: EngineFacts
    health: Asked
    models: Asked | None = None
    metrics: Asked | None = None
    vitals: Vitals = field(default_factory=Vitals)
    tools: Asked | None = None
    generation: Generation | None = None
    starts: tuple[float, ...] = ()
