"""What differs between a hop's own reply and what the client got. Pure.

What a gateway rightly makes anew is no difference: white space, reasoning markup, JSON written
anew, ids that the hop's format does not have, a finish reason that names the calls, a schema that
was handed to the hop as a forced call.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chaos.judge.check import Kind
from chaos.judge.evidence import quote
from chaos.judge.json_value import json_object, json_value, same
from chaos.judge.vectors import same_vectors
from chaos.protocol.conversation import Finish, ToolCall
from chaos.protocol.reading import Reading

_REASONING = re.compile(
    r"<(think|thinking|budget:thinking)>.*?</\1>|<\|channel>thought.*?<channel\|>", re.DOTALL
)
_SIGNED = "__thought__"
"""LiteLLM puts a thought's signature after the hop's own id of a call. Source: 1.106.2."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        what: For a sentence whose subject is the hop's reply.
        output: It is in what was said, not in what is told about it.
    """

    kind: Kind
    what: str
    output: bool = True


def changes(client: Reading, own: Reading, *, structured: bool) -> tuple[Change, ...]:
    """List how *client* differs from *own*.

    Args:
        structured: A schema was asked for.
    """
    if structured and _unwrapped(client, own):
        # The call became the answer, so an end with calls became a plain one.
        ended = () if own.finish is Finish.TOOL_CALLS else tuple(_finish(client, own))
        return (*ended, *_usage(client, own))
    anew = structured and _same_json(client.text, own.text)
    return (
        *(() if anew else _text(client, own)),
        *_thoughts(client, own),
        *_calls(client, own),
        *_vectors(client, own),
        *_finish(client, own),
        *_usage(client, own),
    )


def _unwrapped(client: Reading, own: Reading) -> bool:
    """Tell whether a schema was handed to the hop as a forced call, whose arguments came back."""
    if client.tool_calls or len(own.tool_calls) != 1:
        return False
    asked, got = json_object(own.tool_calls[0].arguments), json_value(client.text)
    return got is not None and asked is not None and got in (asked, *asked.values())


def _same_json(one: str, other: str) -> bool:
    value = json_value(one)
    return value is not None and same(value, json_value(other))


def plain(text: str) -> str:
    """Take a text without its reasoning, with single spaces."""
    return " ".join(_REASONING.sub(" ", text).split())


def _text(client: Reading, own: Reading) -> Iterator[Change]:
    ours, theirs = plain(client.text), plain(own.text)
    if ours == theirs:
        return
    if ours and theirs.startswith(ours):
        yield Change(
            Kind.TRUNCATED_REPLY, f"{len(theirs) - len(ours)} characters at its end are gone"
        )
    elif theirs and ours.count(theirs) > 1:
        yield Change(Kind.SPLICED_REPLY, "its text came more than once")
    else:
        yield Change(
            Kind.ANSWER_DEGRADED, f"it said {quote(theirs, 100)} and came as {quote(ours, 100)}"
        )


def _thoughts(client: Reading, own: Reading) -> Iterator[Change]:
    """Compare reasoning where both tell it: some formats have no place for it."""
    ours, theirs = ("".join(reading.reasoning.split()) for reading in (client, own))
    if ours and theirs and ours != theirs:
        # Anthropic refuses a thought that comes back changed with the next turn.
        yield Change(
            Kind.ANSWER_DEGRADED,
            f"it reasoned {quote(own.reasoning, 80)} and {quote(client.reasoning, 80)} came",
            output=False,
        )


def _finish(client: Reading, own: Reading) -> Iterator[Change]:
    if own.finish is None or client.finish is None or own.finish is client.finish:
        return
    what = f"it finished with {own.finish.value!r} and came as {client.finish.value!r}"
    if own.finish is Finish.LENGTH:
        yield Change(Kind.TRUNCATED_REPLY, what, output=False)
    elif own.finish is Finish.TOOL_CALLS and own.tool_calls:
        # A client's loop runs the calls only where it is told that there are some.
        yield Change(Kind.TOOL_CALL_INVALID, what, output=False)
    elif not (own.tool_calls and client.finish is Finish.TOOL_CALLS):
        yield Change(Kind.ANSWER_DEGRADED, what, output=False)


def _calls(client: Reading, own: Reading) -> Iterator[Change]:
    ours, theirs = client.tool_calls, own.tool_calls
    if len(ours) != len(theirs):
        yield Change(
            Kind.TOOL_CALL_INVALID, f"it made {len(theirs)} tool calls and {len(ours)} came"
        )
        return
    for got, made in zip(ours, theirs, strict=True):
        if got.name != made.name or not same(_arguments(got), _arguments(made)):
            yield Change(
                Kind.TOOL_CALL_INVALID,
                f"it called {made.name} with {quote(made.arguments, 80)} and "
                f"{got.name} with {quote(got.arguments, 80)} came",
            )
        elif made.id and got.id != made.id and not (got.id or "").startswith(made.id + _SIGNED):
            yield Change(
                Kind.TOOL_CALL_INVALID,
                f"its call had the id {made.id!r}, and {got.id!r} came",
                output=False,
            )


def _arguments(call: ToolCall) -> object:
    # A gateway writes JSON anew: what counts is its meaning.
    parsed = json_object(call.arguments)
    return call.arguments.strip() if parsed is None else parsed


def _vectors(client: Reading, own: Reading) -> Iterator[Change]:
    ours, theirs = client.vector_sizes, own.vector_sizes
    if ours != theirs:
        sizes = ", ".join(map(str, theirs[:8])) or "none"
        got = ", ".join(map(str, ours[:8])) or "none"
        yield Change(Kind.ANSWER_DEGRADED, f"it gave embeddings of {sizes} numbers and {got} came")
    elif not same_vectors(client, own):
        yield Change(Kind.ANSWER_DEGRADED, "its embeddings have other numbers, or another order")


def _usage(client: Reading, own: Reading) -> Iterator[Change]:
    if client.usage is None or own.usage is None:
        return
    for name in ("input_tokens", "output_tokens"):
        ours, theirs = getattr(client.usage, name), getattr(own.usage, name)
        if theirs is None or ours == theirs:
            continue
        if ours is None or abs(ours - theirs) not in _apart(name, client, own):
            yield Change(
                Kind.ANSWER_DEGRADED, f"it used {theirs} {name} and {ours} came", output=False
            )


def _apart(name: str, client: Reading, own: Reading) -> set[int]:
    """Tell by how much two counts may differ: APIs count cached and thought tokens differently."""
    usages = [usage for usage in (client.usage, own.usage) if usage is not None]
    counts = [u.cached_tokens if name == "input_tokens" else u.reasoning_tokens for u in usages]
    return {count for count in counts if count}
