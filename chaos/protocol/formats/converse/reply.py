"""Read a whole reply of Bedrock's Converse API strictly, and its errors.

Shape:
    {"output": {"message": {"role": "assistant", "content": [{"text": str} | {"toolUse":
    {"toolUseId": str, "name": str, "input": object}} | {"reasoningContent": …}]}},
    "stopReason": str, "usage": {"inputTokens", "outputTokens", "totalTokens"}, "metrics": …}
    An error is {"message": str}; its type is in the header ``x-amzn-ErrorType``.

Source: botocore 1.44.5, ``ConverseResponse``.
"""

from typing import Any

from chaos.protocol.conversation import Finish, Json, ToolCall
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.lenient import as_json_text, sum_of
from chaos.protocol.json.opened import opened
from chaos.protocol.json.text import excerpt, whole_text
from chaos.protocol.reading import Defect, ReadError, Reading, Usage

_FINISHES = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "tool_use": Finish.TOOL_CALLS,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "guardrail_intervened": Finish.CONTENT_FILTER,
    "content_filtered": Finish.CONTENT_FILTER,
}
_KNOWN_BLOCKS = frozenset(
    {"citationsContent", "guardContent", "image", "document", "video", "audio", "searchResult"}
)


def read_finish(reason: str) -> Finish:
    """Say why the answer ended, in our words."""
    return _FINISHES.get(reason, Finish.OTHER)


def read_usage(usage: Json, defects: Defects) -> Usage:
    """Read the tokens that the reply counts."""
    return Usage(
        defects.need_count(usage, "inputTokens", "usage"),
        defects.need_count(usage, "outputTokens", "usage"),
        cached_tokens=sum_of(usage.get("cacheReadInputTokens"), usage.get("cacheWriteInputTokens")),
    )


def read_converse_error(
    status: int | None, body: Any, *, type_: str | None = None, in_band: bool = False
) -> ReadError:
    """Read an error body, or whatever came in its place."""
    message = body.get("message", body.get("Message")) if isinstance(body, dict) else None
    if isinstance(message, str):
        well_formed = bool(message) and "message" in body
        return ReadError(
            whole_text(message), type_, None, status, well_formed=well_formed, in_band=in_band
        )
    told = body if isinstance(body, str) else as_json_text(body)
    return ReadError(excerpt(told), type_, None, status, well_formed=False, in_band=in_band)


def read_converse_reply(status: int, body: bytes) -> Reading:
    """Read a whole reply strictly, good or error; never raises."""
    defects = Defects()
    parsed = opened(status, body, defects, read_converse_error)
    if isinstance(parsed, Reading):
        return parsed
    if "output" not in parsed:
        if "message" in parsed:
            error = read_converse_error(None, parsed, in_band=True)
            return Reading(error=error, ended=True)
        defects.add(Defect.NO_OUTPUT_FIELD, "no output")
        return Reading(defects=defects.found, ended=True)
    return _read_good(parsed, defects)


def _read_good(body: Json, defects: Defects) -> Reading:
    message = defects.need_object(defects.need_object(body, "output", "body"), "message", "output")
    if message.get("role") != "assistant":
        defects.add(Defect.WRONG_SHAPE, f"message.role is {message.get('role')!r}")
    texts: list[str] = []
    reasoning: list[str] = []
    calls: list[ToolCall] = []
    for block in defects.need_objects(message, "content", "message"):
        if "text" in block:
            texts.append(defects.need_text(block, "text", "content"))
        elif "toolUse" in block:
            calls.append(_read_call(defects.need_object(block, "toolUse", "content"), defects))
        elif "reasoningContent" in block:
            told = defects.need_object(block, "reasoningContent", "content")
            if "redactedContent" not in told:
                told = defects.need_object(told, "reasoningText", "reasoningContent")
                reasoning.append(defects.need_text(told, "text", "reasoningText"))
        elif not block.keys() & _KNOWN_BLOCKS:
            defects.add(Defect.UNKNOWN_EVENT, f"a content block of {', '.join(block)}")
    reason = defects.need_text(body, "stopReason", "body")
    if not reason:
        defects.add(Defect.NO_FINISH, "no stopReason")
    return Reading(
        text=whole_text("".join(texts)),
        reasoning=whole_text("".join(reasoning)),
        tool_calls=tuple(calls),
        finish=read_finish(reason) if reason else None,
        usage=read_usage(defects.need_object(body, "usage", "body"), defects),
        defects=defects.found,
        ended=True,
        starts=1,
    )


def _read_call(use: Json, defects: Defects) -> ToolCall:
    call_id = use.get("toolUseId")
    if not isinstance(call_id, str) or not call_id:
        defects.add(Defect.MISSING_CALL_ID, "a toolUse without toolUseId")
        call_id = None
    arguments = defects.need_object(use, "input", "toolUse")
    name = defects.need_text(use, "name", "toolUse")
    return ToolCall(call_id, whole_text(name), whole_text(as_json_text(arguments)))
