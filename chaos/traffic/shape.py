"""The contract of a traffic shape: the kind of request a drill sends, and what a good answer is."""

from abc import ABC, abstractmethod
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
    """One request to send and what its answer has to hold."""

    ask: Ask
    expect: Expectation


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """How the user's own clients ask (``--as FILE``), laid over the ``agent`` shape.

    Attributes:
        headers: Added to the request.
        parameters: Added to the body, by their name on the wire.
        tools: Raw tool definitions, in the chat completions format.
    """

    system: str | None = None
    tools: tuple[Json, ...] = ()
    headers: Json = field(default_factory=dict)
    parameters: Json = field(default_factory=dict)


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

    @abstractmethod
    def task(self, nonce: str, *, max_tokens: int, profile: ClientProfile | None = None) -> Task:
        """Make one request that carries *nonce* in its prompt, and what to expect of it."""
