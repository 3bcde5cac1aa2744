"""The deepest step of a look at an engine: which formats its parsers read.

It writes texts that a grammar forces, so it costs some hundred tokens; ``forced`` says what it
cannot tell.
"""

from supervisor.probes.depths.forced import (
    CALLS,
    OWN,
    THOUGHTS,
    call_request,
    has_own_thought,
    own_thought_request,
    read_by,
    reads_call,
    reads_thought,
    thought_request,
)
from supervisor.probes.depths.steps import Look, model_to_ask
from supervisor.probes.probe import Outcome


async def formats(look: Look) -> None:
    """Have it write texts that a grammar forces, and look which its parsers read."""
    model, generation = model_to_ask(look.seen), look.seen.generation
    if model is None or generation is None or not generation.answered:
        return
    within_s = look.limits.first_token_s
    if look.seen.facts.auto_tools is not False:
        calls = [
            (
                one,
                await look.line.post(
                    "/v1/chat/completions", call_request(model, one), within_s=within_s
                ),
            )
            for one in CALLS
        ]
        read = read_by((one.format, reads_call(asked.json)) for one, asked in calls)
        look.learn(tool_formats=read)
        took_s = sum(asked.took_s for _, asked in calls)
        look.note("tool_formats", *_shown(read), took_s)
    thoughts = [
        (
            one,
            await look.line.post(
                "/v1/chat/completions", thought_request(model, one), within_s=within_s
            ),
        )
        for one in THOUGHTS
    ]
    read = read_by((one.format, reads_thought(asked.json)) for one, asked in thoughts)
    if read == () and look.seen.facts.has_reasoning_parser:
        own = await look.line.post(
            "/v1/chat/completions", own_thought_request(model), within_s=within_s
        )
        read = (OWN,) if has_own_thought(own.json) else ()
    look.learn(reasoning_formats=read)
    took_s = sum(asked.took_s for _, asked in thoughts)
    look.note("reasoning_formats", *_shown(read), took_s)


def _shown(formats: tuple[str, ...] | None) -> tuple[str, Outcome]:
    if formats is None:
        return "it writes no text that it is told to write", Outcome.UNKNOWN
    if not formats:
        return "it reads none of those that were tried", Outcome.UNKNOWN
    return f"it reads {' and '.join(formats)}", Outcome.OK
