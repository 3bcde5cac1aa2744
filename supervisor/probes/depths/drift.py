"""In what an engine differs from what it was when it was seen before. Pure."""

from collections.abc import Iterator

from supervisor.engine.facts import EngineFacts

KV_CACHE_DIFFERENCE = 0.1
"""Up to this share the KV cache is as it was: what memory is free differs from start to start."""


def drift(before: EngineFacts, now: EngineFacts) -> tuple[str, ...]:
    """Name each difference; what either of the two does not know is none.

    A restart alone is no drift, and neither is a longer list of names that still holds all
    that the gateway asks for.
    """
    return tuple(_differences(before, now))


def _differences(before: EngineFacts, now: EngineFacts) -> Iterator[str]:
    if before.names is not None and now.names is not None:
        gone = sorted({*before.names} - {*now.names})
        if gone:
            yield f"it no longer serves {', '.join(gone)}, but {', '.join(now.names) or 'nothing'}"
    for name in sorted({*before.max_model_len} & {*now.max_model_len}):
        room, left = before.max_model_len[name], now.max_model_len[name]
        if room != left:
            yield f"the context of {name} was {room:,} tokens and is {left:,}"
    held, holds = before.capacity.kv_cache_tokens, now.capacity.kv_cache_tokens
    if held and holds is not None and abs(holds - held) / held > KV_CACHE_DIFFERENCE:
        yield f"its KV cache held {held:,} tokens and holds {holds:,}"
    for what, was, is_ in (
        ("its checkpoint", before.root, now.root),
        ("its version", before.version, now.version),
        ("its fingerprint", before.fingerprint, now.fingerprint),
        ("its tool-call parser", _there(before.has_tool_parser), _there(now.has_tool_parser)),
        ("its automatic tool choice", _there(before.auto_tools), _there(now.auto_tools)),
        (
            "its reasoning parser",
            _there(before.has_reasoning_parser),
            _there(now.has_reasoning_parser),
        ),
        (
            "the format of tool calls that it reads",
            _formats(before.tool_formats),
            _formats(now.tool_formats),
        ),
        (
            "the format of thoughts that it reads",
            _formats(before.reasoning_formats),
            _formats(now.reasoning_formats),
        ),
    ):
        if was is not None and is_ is not None and was != is_:
            yield f"{what} was {was} and is {is_}"


def _there(known: bool | None) -> str | None:
    return None if known is None else ("there" if known else "missing")


def _formats(known: tuple[str, ...] | None) -> str | None:
    return None if known is None else (" and ".join(known) or "none that is known")
