"""The contract of a traffic shape: the kind of request a drill sends, and what a good answer is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from chaos.protocol.conversation import Ask, Json


@dataclass(frozen=True, slots=True)
class ExpectedCall:
    """A tool call that the prompt demands.

    Attributes:
        arguments: Values that must come back as they are; the nonce is among them.
        schema: The tool's own JSON schema, which all arguments have to fit.
    """

    name: str
    arguments: Json
    schema: Json


@dataclass(frozen=True, slots=True)
class Expectation:
    """What has to be in a good answer; whatever is empty is not asked for.

    Attributes:
        calls: Tool calls, in any order; no others may be there.
        nonce_in_text: The text should carry the nonce. A miss alone fails no plain chat, but
            proves nothing either.
        needle: What only the material in the request tells, and the answer must name.
        words: Words of *words_among* that the answer must have in this order, and no others.
        schema: The answer's text is JSON that fits this schema.
        vectors: How many embeddings, all of one size, none empty.
        vector_size: Of the group's own embeddings; None where it is not known.
    """

    calls: tuple[ExpectedCall, ...] = ()
    nonce_in_text: bool = False
    needle: str | None = None
    words: tuple[str, ...] = ()
    words_among: tuple[str, ...] = ()
    schema: Json | None = None
    schema_values: Json = field(default_factory=dict)
    vectors: int = 0
    vector_size: int | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One request to send and what its answer has to hold.

    Attributes:
        headers: Sent besides those of the surface.
    """

    ask: Ask
    expect: Expectation
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """How the user's own clients ask (``--as FILE``), laid over the ``agent`` shape.

    Attributes:
        headers: Added to the request.
        parameters: Added to the body, by their name on the wire.
        tools: Raw tool definitions, in the chat completions format.
        name: What reports call it, such as the name of its file.
    """

    system: str | None = None
    tools: tuple[Json, ...] = ()
    headers: Json = field(default_factory=dict)
    parameters: Json = field(default_factory=dict)
    name: str | None = None


class TrafficShape(ABC):
    """A kind of request.

    Attributes:
        summary: One sentence for ``understudy shapes``.
        surfaces: Names of the surfaces on which it exists.
        needs_tools: The answer is a tool call, or the request carries tools.
        long: It carries a long context, which is never sent to a paid hop.
    """

    name: str
    summary: str
    surfaces: frozenset[str] = frozenset({"chat_completions", "messages", "responses"})
    needs_tools: bool = False
    long: bool = False

    @property
    def client(self) -> str | None:
        """The client of the registry that asks like this; None: nobody in particular."""
        return None

    @property
    def usual_surface(self) -> str | None:
        """The surface on which that client asks unless another is named."""
        return None

    @abstractmethod
    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Make one request that carries *nonce* in its prompt, and what to expect of it."""

    def task_on(
        self,
        surface: str,
        nonce: str,
        *,
        model: str,
        max_tokens: int,
        profile: ClientProfile | None = None,
    ) -> Task:
        """Make the request for *model* on *surface*; most are the same for all."""
        del surface, model
        return self.task(nonce, max_tokens=max_tokens, profile=profile)
