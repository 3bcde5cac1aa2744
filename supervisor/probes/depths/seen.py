"""Everything that was seen in one look at an engine, without opinion."""

from dataclasses import dataclass, field

from supervisor.engine.facts import EngineFacts
from supervisor.engine.metrics import Vitals
from supervisor.probes.depths.ask import Asked

Identity = tuple[tuple[str, ...], str | None, tuple[tuple[str, int], ...]]
"""What tells one engine from another: names, checkpoint and context lengths."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still well.

    Attributes:
        answer_s: For everything that needs no model.
        first_token_s: For a request of one token; D1 of the rule for a hung engine.
        slow_s: A request of one token that takes longer is slow.
        who_s: For asking more often who answers. On an engine under load a page of metrics takes
            long; a look is not to add to that, and its queue is not to drain meanwhile.
    """

    answer_s: float = 3.0
    first_token_s: float = 10.0
    slow_s: float = 3.0
    who_s: float = 0.5


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
    def answered(self) -> bool:
        """A reply of a model came: status 200 alone is what any web page has."""
        body = self.asked.json if self.asked.ok else None
        choices = body.get("choices") if isinstance(body, dict) else None
        first = choices[0] if isinstance(choices, list) and choices else None
        return isinstance(first, dict) and isinstance(first.get("message"), dict)

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
        keyed: It was asked with a key.
        moved: The heartbeat went on while requests were in its hands; None if there were none,
            or if it was not looked at.
        identities: What it serves, each time that it was asked.
        starts: When the process that answered was started, each time that metrics were asked.
    """

    facts: EngineFacts
    health: Asked
    models: Asked | None = None
    metrics: Asked | None = None
    vitals: Vitals = field(default_factory=Vitals)
    moved: bool | None = None
    tools: Asked | None = None
    generation: Generation | None = None
    identities: tuple[Identity, ...] = ()
    starts: tuple[float, ...] = ()
    keyed: bool = False
