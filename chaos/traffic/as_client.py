"""A traffic shape as a client of the registry sends it: ``agent.claude_code``."""

from dataclasses import dataclass, replace

from chaos.traffic.client import Client, cached_blocks
from chaos.traffic.shape import ClientProfile, Task, TrafficShape

BETWEEN = "."
"""Between a shape and its client, as between a fault and its variant."""


@dataclass(frozen=True, slots=True)
class AsClient(TrafficShape):
    """What *base* asks, with the headers and parameters of *asker*, and no others.

    The prompt and the tools stay those of the shape: nobody's system prompt is copied.
    """

    base: TrafficShape
    asker: Client
    name: str
    summary: str
    surfaces: frozenset[str]
    needs_tools: bool
    long: bool

    @property
    def client(self) -> str | None:
        """The name of the client."""
        return self.asker.name

    @property
    def usual_surface(self) -> str | None:
        """The surface that the client uses unless it is set up otherwise."""
        return self.asker.usual_surface

    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Ask on the surface that the client usually uses, for a model of no known family."""
        usual = self.asker.usual_surface
        return self.task_on(usual, nonce, model="", max_tokens=max_tokens, profile=profile)

    def task_on(
        self,
        surface: str,
        nonce: str,
        *,
        model: str,
        max_tokens: int,
        profile: ClientProfile | None = None,
    ) -> Task:
        """Ask for *model* on *surface*; a profile of the user's own is for other shapes."""
        del profile
        task = self.base.task(nonce, max_tokens=max_tokens)
        parameters = self.asker.parameters_for(surface, nonce, model)
        limit = parameters.pop("max_tokens", None)
        turns = task.ask.turns
        if self.asker.cached_system and surface == "messages":
            texts = tuple(turn.text for turn in turns if turn.role == "system")
            turns = tuple(turn for turn in turns if turn.role != "system")
            parameters |= {"system": cached_blocks(texts)} if texts else {}
        ask = replace(task.ask, turns=turns, max_tokens=limit, extra=parameters or None)
        return replace(task, ask=ask, headers=self.asker.headers_for(nonce))


def shape_as_client(base: TrafficShape, client: Client) -> AsClient:
    """Make the shape that is *base* as *client* sends it."""
    return AsClient(
        base,
        client,
        name=name_as_client(base.name, client.name),
        summary=f"{base.name} as {client.name} asks.",
        surfaces=base.surfaces & frozenset(client.surfaces),
        needs_tools=base.needs_tools,
        long=base.long,
    )


def name_as_client(shape: str, client: str) -> str:
    """Name *shape* as *client* sends it."""
    return f"{shape}{BETWEEN}{client}"
