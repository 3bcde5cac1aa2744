"""Read a whole reply of OpenAI's Responses API strictly."""

from dataclasses import dataclass, field

from chaos.protocol.conversation import Finish, Json, ToolCall
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.lenient import whole
from chaos.protocol.json.opened import opened
from chaos.protocol.json.strict import compact, distinct, shown
from chaos.protocol.json.text import excerpt, whole_text
from chaos.protocol.openai_error import error_in, failure, status_in
from chaos.protocol.reading import Defect, ReadError, Reading, Usage

_INCOMPLETE = {"max_output_tokens": Finish.LENGTH, "content_filter": Finish.CONTENT_FILTER}
_SILENT_ITEMS = ("_call", "_output", "_call_output", "_request", "_response", "_list_tools")
_SILENT_ITEM_TYPES = frozenset({"compaction", "item_reference"})


@dataclass(slots=True)
class Part:
    """A piece of content as it grows: ``output_text``, ``refusal`` or reasoning."""

    type: str
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All pieces put together."""
        return "".join(self.pieces)


@dataclass(slots=True)
class Item:
    """An output item as it grows.

    Attributes:
        parts: The content parts of a message, by their ``content_index``.
        thoughts: Reasoning, summaries and contents in order of appearance.
        arguments: A call's arguments, as they came.
    """

    type: str
    id: str | None = None
    parts: list[Part] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    call_id: str | None = None
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    done: bool = False

    @property
    def call(self) -> ToolCall:
        """The item as a tool call."""
        arguments = whole_text("".join(self.arguments))
        call_id = None if self.call_id is None else whole_text(self.call_id)
        return ToolCall(call_id, whole_text(self.name), arguments)


def read_item(item: Json, where: str, log: Defects, *, begun: bool = False) -> Item:
    """Read an output item, whole or, *begun*, as it is added to a stream."""
    kind = log.need_text(item, "type", where)
    item_id = item.get("id")
    read = Item(kind, id=item_id if isinstance(item_id, str) else None)
    if kind == "message":
        # LiteLLM and vLLM begin with an empty list; null would break no client either.
        if not begun or item.get("content") is not None:
            for number, part in enumerate(log.need_objects(item, "content", where)):
                read.parts.append(read_part(part, f"{where}.content[{number}]", log))
    elif kind == "function_call":
        read.call_id = log.optional_text(item, "call_id", where) or None
        read.name = log.need_text(item, "name", where)
        if read.call_id is None:
            log.add(Defect.MISSING_CALL_ID, f"{where}: call of {read.name!r} without a call_id")
        if not begun or item.get("arguments") is not None:
            arguments = item.get("arguments")
            read.arguments.append(log.need_text(item, "arguments", where))
            if isinstance(arguments, dict):  # wrong, and still worth showing
                read.arguments.append(compact(arguments))
    elif kind == "reasoning":
        for key in ("summary", "content"):
            # Source: LiteLLM 1.106.2, litellm_completion_transformation: it begins reasoning
            # with ``"summary": null``.
            if item.get(key) is not None:
                parts = log.need_objects(item, key, where)
                read.thoughts.extend(
                    log.need_text(part, "text", f"{where}.{key}") for part in parts
                )
    elif item.get("type") == "" or (
        kind and kind not in _SILENT_ITEM_TYPES and not kind.endswith(_SILENT_ITEMS)
    ):
        log.wrong(f"{where}: {kind!r} is no output item of this API")
    return read


def read_part(part: Json, where: str, log: Defects) -> Part:
    """Read a content part of a message."""
    kind = log.need_text(part, "type", where)
    key = {"output_text": "text", "refusal": "refusal"}.get(kind)
    if key is None:
        if part.get("type") == "" or (kind and kind != "reasoning_text"):
            log.wrong(f"{where}: {kind!r} is no content of this API")
        return Part(kind)
    return Part(kind, [log.need_text(part, key, where)])


def read_usage(response: Json, log: Defects) -> Usage | None:
    """Read the tokens; None where the response does not tell them."""
    if response.get("usage") is None:
        return None
    usage = log.need_object(response, "usage", "response")
    details = usage.get("output_tokens_details")
    prompt = usage.get("input_tokens_details")
    return Usage(
        input_tokens=log.optional_count(usage, "input_tokens", "usage"),
        output_tokens=log.optional_count(usage, "output_tokens", "usage"),
        reasoning_tokens=log.optional_count(details, "reasoning_tokens", "usage")
        if isinstance(details, dict)
        else None,
        cached_tokens=whole(prompt.get("cached_tokens")) if isinstance(prompt, dict) else None,
    )


def read_finish(response: Json, items: list[Item], log: Defects) -> Finish | None:
    """Read why the answer ended; None for one that failed or does not say so."""
    status = log.optional_text(response, "status", "response")
    if status == "completed":
        called = any(item.type == "function_call" for item in items)
        return Finish.TOOL_CALLS if called else Finish.STOP
    if status == "incomplete":
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        return _INCOMPLETE.get(str(reason), Finish.OTHER)
    if status == "cancelled":
        return Finish.OTHER
    if status not in (None, "failed", "in_progress", "queued"):
        log.wrong(f"{status!r} is no status of this API")
    return None


def read_failure(response: Json) -> ReadError | None:
    """Read the error of a response that failed; None if it did not fail.

    Shape:
        {"status": "failed", "error": {"code": str, "message": str}}; no ``type`` here.
    """
    error = response.get("error")
    if error:
        code = error.get("code") if isinstance(error, dict) else None
        return describe(error, well_formed=isinstance(code, str))
    if response.get("status") == "failed":
        return ReadError("failed without an error", well_formed=False, in_band=True)
    return None


def describe(error: object, *, well_formed: bool) -> ReadError:
    """Describe an error inside a 2xx; without a message that is a string it is not well formed."""
    if not isinstance(error, dict):
        told = error if isinstance(error, str) else compact(error)
        return ReadError(excerpt(told), well_formed=False, in_band=True)
    message, kind, code = (error.get(key) for key in ("message", "type", "code"))
    return ReadError(
        whole_text(message) if isinstance(message, str) else excerpt(compact(error)),
        type=whole_text(kind) if isinstance(kind, str) else None,
        code=whole_text(code) if isinstance(code, str) else None,
        status=status_in(code),
        well_formed=well_formed and isinstance(message, str),
        in_band=True,
    )


def text_of(items: list[Item], kind: str = "output_text") -> str:
    """Put all text of one *kind* of part together."""
    return whole_text(
        "".join(part.text for item in items for part in item.parts if part.type == kind)
    )


def reasoning_of(items: list[Item]) -> str:
    """Put all reasoning together."""
    return whole_text("".join(thought for item in items for thought in item.thoughts))


def calls_of(items: list[Item]) -> tuple[ToolCall, ...]:
    """List the tool calls among *items*."""
    return tuple(item.call for item in items if item.type == "function_call")


def read_output(response: Json, log: Defects) -> list[Item]:
    """Read a response's output items."""
    if not isinstance(response.get("output"), list):
        log.add(Defect.NO_OUTPUT_FIELD, "the response has no list of output items")
        return []
    output = log.need_objects(response, "output", "response")
    return [read_item(item, f"output[{number}]", log) for number, item in enumerate(output)]


def read_response_reply(status: int, body: bytes) -> Reading:
    """Read a whole reply, good or error."""
    log = Defects()
    parsed = opened(status, body, log, failure)
    if isinstance(parsed, Reading):
        return parsed
    if parsed.get("error") and "output" not in parsed:
        return Reading(error=error_in(parsed, in_band=True), ended=True)
    return _read_response(parsed, log)


def _read_response(response: Json, log: Defects) -> Reading:
    if response.get("object") != "response":
        log.wrong(f"object is {shown(response.get('object'))}, not 'response'")
    items = read_output(response, log)
    error = read_failure(response)
    finish = read_finish(response, items, log)
    if finish is None and error is None:
        log.add(Defect.NO_FINISH, f"status is {shown(response.get('status'))}")
    return Reading(
        text=text_of(items),
        reasoning=reasoning_of(items),
        refusal=text_of(items, "refusal"),
        tool_calls=calls_of(items),
        finish=finish,
        ids=distinct([log.identity(response, "id", "response")]),
        models=distinct([log.identity(response, "model", "response")]),
        error=error,
        usage=read_usage(response, log),
        defects=log.found,
        ended=True,
        starts=1,
    )
