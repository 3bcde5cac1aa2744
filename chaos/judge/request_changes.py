"""What differs between what the client asked and what a hop was asked. Pure.

What a gateway may add is no difference (limits and temperatures that the client left open, the
deployment's own tools, text of its own), nor is the spelling that a wire format forces: system
text moved to the front, JSON written anew, ids left out, words of JSON schema that the format
lacks. A schema for the answer may be handed on as one forced tool call with that very schema.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from chaos.judge.evidence import quote
from chaos.judge.json_value import json_object, json_value, same
from chaos.judge.schema_meaning import same_meaning
from chaos.protocol.conversation import Ask, ToolCall, ToolSpec, Turn

LITELLMS_OWN = "json_tool_call"
"""The tool as which LiteLLM hands a schema on. Source: LiteLLM 1.106.2, run."""


def changes(
    sent: Ask, asked: Ask, *, own_tools: Collection[str] = (), renewed: Collection[str] = ()
) -> Iterator[str]:
    """Say how *asked* differs from *sent*, for a sentence that goes on after a colon.

    Args:
        own_tools: Names of tools that the deployment adds by itself.
        renewed: Names of parameters that the configuration sets anew for this hop.
    """
    yield from _texts(sent, asked)
    yield from _pictures(sent, asked)
    yield from _earlier_calls(sent, asked)
    yield from _results(sent, asked)
    wrapper = _wrapper(sent, asked)
    yield from _tools(sent, asked, {*own_tools, *wrapper})
    if sent.response_schema is not None and not wrapper:
        own = asked.response_schema
        if own is None:
            yield "the response schema is gone"
        elif not same_meaning(sent.response_schema.schema, own.schema, lacks=own.lacks):
            yield "the response schema is another"
    added = asked.response_schema is not None and "response_format" not in renewed
    if sent.response_schema is None and added:
        yield "a response schema was added"
    chosen = sent.tools and not wrapper and "tool_choice" not in asked.lacks
    if chosen and _choice(sent) != _choice(asked):
        yield f"tool_choice is {asked.tool_choice!r} instead of {sent.tool_choice!r}"
    for name in ("max_tokens", "temperature", "dimensions", "parallel_tool_calls"):
        wanted, got = getattr(sent, name), getattr(asked, name)
        # A format may have no place for a temperature, or for calls that come together.
        lost = got is None and name in ("temperature", "parallel_tool_calls")
        if wanted is not None and got != wanted and not lost and name not in renewed:
            yield f"{name} is {got} instead of {wanted}"


def _texts(sent: Ask, asked: Ask) -> Iterator[str]:
    """Look for everything that was said, by the same speaker and each after the one before."""
    place, offset = 0, 0
    for turn, previous in zip(sent.turns, (None, *sent.turns), strict=False):
        for call in previous.tool_calls if previous is not None else ():
            made = [at for at, other in enumerate(asked.turns) if _calls(other, call.name)]
            after = [at for at in made if at >= place]
            if after:
                place, offset = after[0], offset if after[0] == place else 0
            elif made:
                yield f"the earlier call of {call.name} comes before what was said before it"
        words = _flat(turn.text)
        if not words and turn.role != "tool":
            continue
        found = _find(turn, words, asked.turns, place, offset)
        if found is None and turn.role == "tool":
            # What became of a result is told apart; that it came before is told here.
            if _find(turn, words, asked.turns, 0, 0) is not None:
                yield f"the tool result {quote(turn.text, 60)} comes before what was said before it"
        elif found is None:
            elsewhere = _find(turn, words, asked.turns, 0, 0) is not None
            why = "comes before another" if elsewhere else "is gone or changed"
            yield f"the {turn.role} turn {quote(turn.text, 80)} {why}"
        else:
            place, offset = found
    if list(map(_flat, sent.inputs)) != list(map(_flat, asked.inputs)):
        yield "a text to embed is gone or changed"


def _calls(turn: Turn, name: str) -> bool:
    return any(call.name == name for call in turn.tool_calls)


def _find(
    turn: Turn, words: str, asked: Sequence[Turn], place: int, offset: int
) -> tuple[int, int] | None:
    """Find *turn* among *asked* from a place on; gives the place after it."""
    for at in range(place, len(asked)):
        other = asked[at]
        if turn.role == "tool":
            if other.role == "tool" and _same_result(turn.text, other.text):
                return at, 0
            continue
        # Some models know no system turns, so its text goes into the first one of the user.
        same = other.role == turn.role or (turn.role == "system" and other.role == "user")
        found = _flat(other.text).find(words, offset if at == place else 0) if same else -1
        if found >= 0:
            return at, found + len(words)
    return None


def _pictures(sent: Ask, asked: Ask) -> Iterator[str]:
    ours, theirs = _images(sent), _images(asked)
    if ours == theirs:
        return
    if len(theirs) < len(ours):
        yield (
            "the picture is gone"
            if len(ours) == 1
            else (f"{len(ours) - len(theirs)} of {len(ours)} pictures are gone")
        )
    else:
        yield "a picture is another"


def _images(ask: Ask) -> list[str]:
    # Base64 is written with and without its padding.
    return [png.rstrip("=") for turn in ask.turns for png in turn.images]


def _earlier_calls(sent: Ask, asked: Ask) -> Iterator[str]:
    ours, theirs = _made(sent), _made(asked)
    names = Counter(call.name for call in ours)
    gone = names - Counter(call.name for call in theirs)
    if gone:
        yield f"the earlier call of {next(iter(gone))} is gone"
        return
    if len(theirs) > len(ours):
        yield f"{len(theirs) - len(ours)} earlier tool calls were added"
        return
    for call, got in zip(ours, theirs, strict=True):
        if got.name != call.name:
            yield f"the earlier call of {call.name} comes after that of {got.name}"
        elif not same(_arguments(got), _arguments(call)):
            yield (
                f"the earlier call of {call.name} has the arguments {quote(got.arguments, 80)} "
                f"instead of {quote(call.arguments, 80)}"
            )


def _made(ask: Ask) -> list[ToolCall]:
    return [call for turn in ask.turns for call in turn.tool_calls]


def _arguments(call: ToolCall) -> object:
    parsed = json_object(call.arguments)
    return call.arguments.strip() if parsed is None else parsed


def _results(sent: Ask, asked: Ask) -> Iterator[str]:
    """Compare the results of tools: their text, and which call each belongs to."""
    ours, theirs = _of_tools(sent.turns), _of_tools(asked.turns)
    if len(theirs) < len(ours):
        yield f"{len(ours) - len(theirs)} of {len(ours)} tool results are gone"
        return
    if len(theirs) > len(ours):
        yield f"{len(theirs) - len(ours)} tool results were added"
        return
    for turn, got in zip(ours, theirs, strict=True):
        if not _same_result(turn.text, got.text):
            yield f"the tool result {quote(turn.text, 80)} became {quote(got.text, 80)}"
        if not _belongs(turn, got, _made(sent), _made(asked)):
            yield (
                f"the tool result {quote(turn.text, 60)} belongs to the call "
                f"{got.tool_call_id!r} instead of {turn.tool_call_id!r}"
            )


def _of_tools(turns: Sequence[Turn]) -> list[Turn]:
    return [turn for turn in turns if turn.role == "tool"]


def _belongs(turn: Turn, got: Turn, ours: list[ToolCall], theirs: list[ToolCall]) -> bool:
    """Tell whether a result answers the call that it was given for.

    A gateway may give ids of its own, and some formats have none but the tool's name: the pair
    counts.
    """
    ids = [call.id for call in ours]
    if turn.tool_call_id not in ids:
        return got.tool_call_id == turn.tool_call_id
    at = ids.index(turn.tool_call_id)
    own = theirs[at].id if at < len(theirs) else None
    return got.tool_call_id in (ours[at].name, *((own,) if own else (None, turn.tool_call_id)))


def _same_result(one: str, other: str) -> bool:
    if _flat(one) == _flat(other):
        return True
    value = json_value(one)
    return value is not None and same(value, json_value(other))


def _tools(sent: Ask, asked: Ask, explained: Collection[str]) -> Iterator[str]:
    offered = {tool.name: tool for tool in asked.tools}
    if len(offered) < len(asked.tools):
        names = Counter(tool.name for tool in asked.tools)
        yield f"the tool {names.most_common(1)[0][0]} came twice"
    for tool in sent.tools:
        got = offered.get(tool.name)
        if got is None:
            yield f"the tool {tool.name} is gone or renamed"
        else:
            yield from _tool(tool, got)
    wanted = {tool.name for tool in sent.tools}
    added = [name for name in offered if name not in wanted and name not in explained]
    if added:
        yield f"the tool {added[0]} was added"


def _tool(tool: ToolSpec, got: ToolSpec) -> Iterator[str]:
    if not same_meaning(tool.parameters, got.parameters, lacks=got.lacks):
        yield f"the schema of the tool {tool.name} is another"
    elif _flat(tool.description) not in _flat(got.description):
        yield f"the description of the tool {tool.name} is another"


def as_tool_call(sent: Ask, asked: Ask) -> bool:
    """Tell whether the schema for the answer was handed on as a tool to call."""
    return bool(_wrapper(sent, asked))


def _wrapper(sent: Ask, asked: Ask) -> frozenset[str]:
    """Name the tool as which the schema for the answer was handed on; empty if it was not."""
    if sent.response_schema is None or asked.response_schema is not None:
        return frozenset()
    known = {tool.name for tool in sent.tools}
    return frozenset(
        tool.name
        for tool in asked.tools
        if tool.name not in known
        # Where a model may not be forced, LiteLLM asks for its own tool without forcing it.
        and (asked.tool_choice in ("required", tool.name) or tool.name == LITELLMS_OWN)
        and same_meaning(sent.response_schema.schema, tool.parameters, lacks=tool.lacks)
    )


def _choice(ask: Ask) -> str:
    # With a single tool, forcing any and forcing that one are the same.
    if len(ask.tools) == 1 and ask.tool_choice == ask.tools[0].name:
        return "required"
    return ask.tool_choice


def _flat(text: str) -> str:
    return " ".join(text.split())
