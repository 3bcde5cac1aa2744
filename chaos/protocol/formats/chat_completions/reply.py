"""Read a whole reply of chat completions strictly; the stream reads its deltas with the same parts.

Shape:
    {"id": str, "model": str, "system_fingerprint": str?, "usage": {…}?,
     "choices": [{"message": {"content": str | null, "refusal": str?, "reasoning": str?,
                              "tool_calls": [{"id", "function": {"name", "arguments"}}]?},
                  "finish_reason": str}]}
    One choice; ``reasoning`` is vLLM's name, ``reasoning_content`` DeepSeek's and LiteLLM's.
"""

import json
from dataclasses import dataclass
from typing import Any

from chaos.protocol.conversation import Finish, Json, ToolCall
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.opened import opened
from chaos.protocol.json.strict import shown
from chaos.protocol.json.text import whole_text
from chaos.protocol.openai_error import error_in, failure
from chaos.protocol.reading import Defect, ReadError, Reading, Usage

FINISHES = {
    "stop": Finish.STOP,
    "tool_calls": Finish.TOOL_CALLS,
    "function_call": Finish.TOOL_CALLS,
    "length": Finish.LENGTH,
    "content_filter": Finish.CONTENT_FILTER,
    # Other engines' words for it, which LiteLLM translates. Source: LiteLLM 1.106.2,
    # litellm_core_utils/core_helpers.py (map_finish_reason).
    "eos": Finish.STOP,
    "eos_token": Finish.STOP,
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "COMPLETE": Finish.STOP,
}


@dataclass(frozen=True, slots=True)
class Said:
    """The texts of one message or delta."""

    text: str
    reasoning: str
    refusal: str

    def __bool__(self) -> bool:
        return bool(self.text or self.reasoning or self.refusal)


def read_said(part: dict[str, Any], found: Defects) -> Said:
    """Read the texts of a message or of a delta."""
    reasoning = part.get("reasoning")
    if not isinstance(reasoning, str) or not reasoning:
        reasoning = part.get("reasoning_content")
    return Said(
        text=_text_of("content", part, found),
        # Extensions of the format, so their shape is no defect.
        reasoning=reasoning if isinstance(reasoning, str) else "",
        refusal=_text_of("refusal", part, found),
    )


def _text_of(field: str, part: dict[str, Any], found: Defects) -> str:
    value = part.get(field)
    if value is None or isinstance(value, str):
        return value or ""
    found.add(Defect.WRONG_SHAPE, f"{field} is no text: {shown(value)}")
    if not isinstance(value, list):
        return ""
    texts = [item.get("text") for item in value if isinstance(item, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def read_finish(choice: dict[str, Any], found: Defects) -> Finish | None:
    """Read why a choice ended; None where it does not say."""
    reason = choice.get("finish_reason")
    if reason is None:
        return None
    if not isinstance(reason, str):
        found.add(Defect.WRONG_SHAPE, f"finish_reason is no text: {shown(reason)}")
        return Finish.OTHER
    return FINISHES.get(reason, Finish.OTHER)


def choice_error(choice: dict[str, Any]) -> ReadError | None:
    """Find an error that a choice tells of, as OpenRouter's do."""
    error = error_in(choice, in_band=True)
    if error is None and choice.get("finish_reason") == "error":
        return ReadError("finish_reason: error", well_formed=False, in_band=True)
    return error


def read_usage(body: Json) -> Usage | None:
    """Read how many tokens a reply or a chunk counts."""
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return None
    details = usage.get("completion_tokens_details")
    prompt = usage.get("prompt_tokens_details")
    return Usage(
        input_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
        reasoning_tokens=_count(
            details.get("reasoning_tokens") if isinstance(details, dict) else None
        ),
        cached_tokens=_count(prompt.get("cached_tokens") if isinstance(prompt, dict) else None),
    )


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def read_completion(status: int, body: bytes) -> Reading:
    """Read a whole reply, good or error."""
    found = Defects()
    parsed = opened(status, body, found, failure)
    if isinstance(parsed, Reading):
        return parsed
    return _read_good(parsed, error_in(parsed, in_band=True), found)


def _read_good(body: Json, error: ReadError | None, found: Defects) -> Reading:
    choices = body.get("choices")
    choice: Any = choices[0] if isinstance(choices, list) and choices else None
    message: Any = choice.get("message") if isinstance(choice, dict) else None
    if isinstance(choice, dict):
        error = error or choice_error(choice)
    if error is None:
        _find_defects(body, choice, message, found)
    if not isinstance(message, dict):
        message = {}
    said = read_said(message, found)
    return Reading(
        text=whole_text(said.text),
        reasoning=whole_text(said.reasoning),
        refusal=whole_text(said.refusal),
        tool_calls=_read_calls(message, found),
        finish=read_finish(choice, found) if isinstance(choice, dict) else None,
        ids=distinct(body.get("id")),
        models=distinct(body.get("model")),
        error=error,
        usage=read_usage(body),
        defects=found.found,
        ended=True,
        starts=1 if message else 0,
        fingerprint=next(iter(distinct(body.get("system_fingerprint"))), None),
    )


def distinct(value: Any) -> tuple[str, ...]:
    """Take one text for a list of distinct ones; empty texts and other types are none."""
    return (whole_text(value),) if isinstance(value, str) and value else ()


def _find_defects(body: Json, choice: Any, message: Any, found: Defects) -> None:
    """Look for what every good reply has."""
    if choice is None:
        found.add(Defect.NO_OUTPUT_FIELD, f"no choices: {shown(body)}")
        return
    if len(body["choices"]) > 1:
        found.add(Defect.WRONG_SHAPE, f"{len(body['choices'])} choices, one was asked for")
    if not isinstance(message, dict):
        found.add(Defect.WRONG_SHAPE, f"a choice without a message: {shown(choice)}")
    if not distinct(body.get("id")):
        found.add(Defect.NO_ID, "no id")
    if isinstance(choice, dict) and choice.get("finish_reason") is None:
        found.add(Defect.NO_FINISH, "no finish_reason")


def _read_calls(message: dict[str, Any], found: Defects) -> tuple[ToolCall, ...]:
    calls = message.get("tool_calls")
    if calls is None:
        calls = []
    elif not isinstance(calls, list):
        found.add(Defect.WRONG_SHAPE, f"tool_calls is no list: {shown(calls)}")
        calls = []
    read = [_read_call(call, found) for call in calls]
    if message.get("function_call"):
        found.add(Defect.WRONG_SHAPE, "a call in function_call, which tools do not use")
        read.append(_read_call({"function": message["function_call"]}, found))
    return tuple(read)


def _read_call(call: Any, found: Defects) -> ToolCall:
    call = call if isinstance(call, dict) else {}
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    return finished_call(call.get("id"), function.get("name"), function.get("arguments"), found)


def finished_call(call_id: Any, name: Any, arguments: Any, found: Defects) -> ToolCall:
    """Make a tool call of its parts, and note what is missing."""
    if not isinstance(name, str) or not name:
        found.add(Defect.WRONG_SHAPE, "a tool call without a name")
        name = ""
    if not isinstance(call_id, str) or not call_id:
        found.add(Defect.MISSING_CALL_ID, f"call of {name!r}")
        call_id = None
    if not isinstance(arguments, str):
        found.add(Defect.WRONG_SHAPE, f"arguments of {name!r} are no text: {shown(arguments)}")
        arguments = json.dumps(arguments) if isinstance(arguments, dict) else ""
    return ToolCall(
        id=None if call_id is None else whole_text(call_id),
        name=whole_text(name),
        arguments=whole_text(arguments),
    )
