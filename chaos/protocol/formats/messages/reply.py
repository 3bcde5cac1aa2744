"""Read a whole reply of Anthropic's Messages API strictly."""

from dataclasses import dataclass, field

from chaos.protocol.conversation import Finish, Json, ToolCall
from chaos.protocol.json.defects import Defects
from chaos.protocol.json.lenient import sum_of
from chaos.protocol.json.opened import opened
from chaos.protocol.json.strict import compact, distinct, shown
from chaos.protocol.json.text import excerpt, whole_text
from chaos.protocol.openai_error import foreign_error, status_in
from chaos.protocol.reading import Defect, ReadError, Reading, Usage

FINISHES = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "tool_use": Finish.TOOL_CALLS,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "refusal": Finish.CONTENT_FILTER,
    "pause_turn": Finish.OTHER,
    "compaction": Finish.OTHER,
}
"""Anthropic's stop reasons in our words."""

_SILENT_BLOCKS = frozenset(
    {"redacted_thinking", "server_tool_use", "mcp_tool_use", "container_upload", "compaction"}
)


@dataclass(slots=True)
class Block:
    """One content block as it grows.

    Attributes:
        pieces: Text, thinking or the JSON text of a call's input, as it came.
        input: The input that a call began with.
    """

    type: str
    pieces: list[str] = field(default_factory=list)
    call_id: str | None = None
    name: str = ""
    input: object = None
    stopped: bool = False

    @property
    def text(self) -> str:
        """All pieces put together."""
        return "".join(self.pieces)

    @property
    def arguments(self) -> str:
        """The call's arguments as JSON text; fragments win over what the block began with.

        A block that was stopped without a fragment has the input that it began with; one that
        was cut off has none yet.
        """
        return self.text or (compact(self.input) if self.stopped else "")


def read_block(block: Json, where: str, log: Defects) -> Block:
    """Read a content block, whole or as it starts in a stream."""
    kind = log.need_text(block, "type", where)
    read = Block(kind)
    if kind == "text":
        read.pieces.append(log.need_text(block, "text", where))
    elif kind == "thinking":
        read.pieces.append(log.need_text(block, "thinking", where))
    elif kind == "tool_use":
        read.call_id = log.optional_text(block, "id", where) or None
        read.name = log.need_text(block, "name", where)
        read.input = block.get("input")
        if read.call_id is None:
            log.add(Defect.MISSING_CALL_ID, f"{where}: call of {read.name!r} without an id")
        if not isinstance(read.input, dict):
            log.wrong(f"{where}.input is {shown(read.input)}, not an object")
    elif block.get("type") == "" or (
        kind and kind not in _SILENT_BLOCKS and not kind.endswith("_tool_result")
    ):
        log.wrong(f"{where}: {kind!r} is no content block of this API")
    return read


def read_usage(holder: Json, log: Defects, *, before: Usage | None = None) -> Usage | None:
    """Read the tokens; a stream's end tells the output and may leave out the input."""
    usage = holder.get("usage")
    if usage is None:
        return before
    if not isinstance(usage, dict):
        log.wrong(f"usage is {shown(usage)}, not an object")
        return before
    told = [log.optional_count(usage, key, "usage") for key in ("input_tokens", "output_tokens")]
    if before is not None:
        # LiteLLM's bridges begin with zero input tokens and tell the number at the end.
        known = (before.input_tokens, before.output_tokens)
        told = [new if new is not None else old for new, old in zip(told, known, strict=True)]
    cached = sum_of(usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens"))
    if cached is None and before is not None:
        cached = before.cached_tokens
    return Usage(input_tokens=told[0], output_tokens=told[1], cached_tokens=cached)


def read_finish(holder: Json, log: Defects) -> tuple[Finish | None, str]:
    """Read why the answer ended, and the words of a refusal."""
    reason = log.optional_text(holder, "stop_reason", "message")
    if not reason:
        return None, ""
    if reason not in FINISHES:
        # A typed client meets a value that its enumeration lacks: OpenAI's ``stop``, say.
        log.wrong(f"{reason!r} is no stop_reason of this API")
    details = holder.get("stop_details")
    told = details.get("explanation") if isinstance(details, dict) else None
    return FINISHES.get(reason, Finish.OTHER), whole_text(told) if isinstance(told, str) else ""


def calls_of(blocks: list[Block]) -> tuple[ToolCall, ...]:
    """List the tool calls among *blocks*."""
    return tuple(
        ToolCall(
            None if block.call_id is None else whole_text(block.call_id),
            whole_text(block.name),
            whole_text(block.arguments),
        )
        for block in blocks
        if block.type == "tool_use"
    )


def text_of(blocks: list[Block], kind: str) -> str:
    """Put the text of all blocks of one *kind* together."""
    return whole_text("".join(block.text for block in blocks if block.type == kind))


def read_message_reply(status: int, body: bytes) -> Reading:
    """Read a whole reply, good or error."""
    log = Defects()
    parsed = opened(status, body, log, _failure)
    if isinstance(parsed, Reading):
        return parsed
    error = find_error(parsed, in_band=True)
    if error is not None and "content" not in parsed:
        return Reading(error=error, ended=True)
    return _read_message(parsed, error, log)


def _failure(status: int, body: object) -> ReadError:
    found = find_error(body) if isinstance(body, dict) else None
    return found or foreign_error(status, body)


def find_error(body: Json, *, in_band: bool = False) -> ReadError | None:
    """Find the error that *body* tells of; None if it tells of none.

    Well formed is what Anthropic's SDKs understand: a top-level ``error`` object with a
    ``message`` and a ``type``, both strings. They read nothing else of it, least of all the
    outer ``"type": "error"``, so OpenAI's envelope (LiteLLM uses it here for what fails before
    the request reaches its handler: a wrong key, say) does no harm, and a missing type does:
    clients branch on it.

    Source: anthropic-sdk-python, ``_client.py`` (``_make_status_error``) and ``_streaming.py``;
    anthropic-sdk-typescript, ``core/error.ts``.
    """
    if not body.get("error"):
        if body.get("type") != "error":
            return None
        return ReadError("an error without an error object", well_formed=False, in_band=in_band)
    error = body["error"]
    if not isinstance(error, dict):
        told = error if isinstance(error, str) else compact(error)
        return ReadError(excerpt(told), well_formed=False, in_band=in_band)
    message, kind, code = (error.get(key) for key in ("message", "type", "code"))
    return ReadError(
        whole_text(message) if isinstance(message, str) else excerpt(compact(error)),
        type=whole_text(kind) if isinstance(kind, str) else None,
        code=whole_text(code) if isinstance(code, str) else None,
        status=status_in(code),
        well_formed=isinstance(message, str) and isinstance(kind, str),
        in_band=in_band,
    )


def read_identity(message: Json, log: Defects) -> tuple[str, str]:
    """Read a message's id and model, and check that it is an answer at all."""
    for key, wanted in (("type", "message"), ("role", "assistant")):
        if message.get(key) != wanted:
            log.wrong(f"message.{key} is {shown(message.get(key))}, not {wanted!r}")
    return log.identity(message, "id", "message"), log.identity(message, "model", "message")


def _read_message(message: Json, error: ReadError | None, log: Defects) -> Reading:
    blocks: list[Block] = []
    if not isinstance(message.get("content"), list):
        log.add(Defect.NO_OUTPUT_FIELD, "the message has no list of content blocks")
    else:
        for number, block in enumerate(log.need_objects(message, "content", "message")):
            blocks.append(read_block(block, f"content[{number}]", log))
            blocks[-1].stopped = True
    id_, model = read_identity(message, log)
    finish, refusal = read_finish(message, log)
    if finish is None and error is None:
        log.add(Defect.NO_FINISH, "stop_reason is missing or null")
    usage = read_usage(message, log)
    if usage is None:
        log.wrong("usage is missing")  # the SDKs' type has it, and clients add it up unasked
    return Reading(
        text=text_of(blocks, "text"),
        reasoning=text_of(blocks, "thinking"),
        refusal=refusal,
        tool_calls=calls_of(blocks),
        finish=finish,
        ids=distinct([id_]),
        models=distinct([model]),
        error=error,
        usage=usage,
        defects=log.found,
        ended=True,
        starts=1,
    )
