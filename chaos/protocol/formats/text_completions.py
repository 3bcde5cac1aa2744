"""OpenAI's legacy ``POST /v1/completions``, and Codestral's ``/v1/fim/completions``.

One prompt, one text: there is no place for turns, tools, schemas or pictures. Where a conversation
has a system's turn, LiteLLM 1.106.2 sends ``text-completion-openai/…`` a list of prompts, one for
each turn, and takes the answer to the first; so only that one counts as asked.

Shape:
    {"model": str, "prompt": str | [str], "max_tokens"?: int, "temperature"?: number}
    → {"id", "object": "text_completion", "created", "model", "choices": [{"index": 0, "text": str,
       "finish_reason": str, "logprobs": null}], "usage": {…}}
    A stream has the same as events, and ends with [DONE]. Codestral answers as chats are answered.

Source: https://platform.openai.com/docs/api-reference/completions; requests of LiteLLM 1.106.2.
"""

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from chaos.protocol.conversation import Answer, Ask, Json, Turn
from chaos.protocol.format import Piece, PieceKind
from chaos.protocol.formats.chat_completions.stream import ChatCompletionsStream
from chaos.protocol.formats.chat_completions.write import CREATED_AT, ChatCompletions, split_evenly
from chaos.protocol.json.lenient import as_json_text, as_object, number, text, whole
from chaos.protocol.json.text import parse_json
from chaos.protocol.pieces import TEXT_PIECES, mark
from chaos.protocol.reading import Reading, StreamReader
from chaos.protocol.sse import SseReader

_NO_PLACE = frozenset({"tool_choice", "parallel_tool_calls"})


class CodestralFim(ChatCompletions):
    """A prompt that is answered as a chat is."""

    name: ClassVar[str] = "codestral_fim"

    def write_ask(self, ask: Ask, *, model: str, stream: bool) -> Json:
        """Write a request's JSON body."""
        body: dict[str, Any] = {"model": model, "prompt": ask.text}
        limits = {"max_tokens": ask.max_tokens, "temperature": ask.temperature}
        body |= {name: value for name, value in limits.items() if value is not None}
        return {**body, **({"stream": True} if stream else {}), **(ask.extra or {})}

    def read_ask(self, body: Json) -> Ask:
        """Read a request's JSON body; lenient, because gateways add fields of their own."""
        prompt = body.get("prompt")
        if isinstance(prompt, list):
            prompt = prompt[0] if prompt else ""
        return Ask(
            turns=(Turn("user", text(prompt)),),
            max_tokens=whole(body.get("max_tokens")),
            temperature=number(body.get("temperature")),
            lacks=_NO_PLACE,
        )


class TextCompletions(CodestralFim):
    """``POST /v1/completions``."""

    name: ClassVar[str] = "text_completions"

    def write_answer(self, answer: Answer, *, model: str, stream: bool) -> tuple[Piece, ...]:
        """Write a good reply; a call, for which there is no place, becomes text."""
        calls = [{"name": c.name, "arguments": as_object(c.arguments)} for c in answer.tool_calls]
        said = answer.text or "\n".join(map(as_json_text, calls))
        head = {
            "id": f"cmpl-{mark(answer, model)}",
            "object": "text_completion",
            "created": CREATED_AT,
            "model": model,
        }
        usage = {
            "prompt_tokens": answer.input_tokens,
            "completion_tokens": answer.output_tokens,
            "total_tokens": answer.input_tokens + answer.output_tokens,
        }
        reason = {"length": "length", "content_filter": "content_filter"}.get(answer.finish, "stop")
        if not stream:
            body = head | {"choices": [_choice(said, reason)], "usage": usage}
            return (Piece(PieceKind.CONTENT, json.dumps(body).encode()),)
        pieces = [
            Piece(PieceKind.CONTENT, _event(head | {"choices": [_choice(part, None)]}))
            for part in split_evenly(said, TEXT_PIECES)
        ]
        ends = (head | {"choices": [_choice("", reason)]}, head | {"choices": [], "usage": usage})
        pieces += [Piece(PieceKind.FINISH, _event(end)) for end in ends]
        return (*pieces, Piece(PieceKind.END, b"data: [DONE]\n\n"))

    def read_reply(self, status: int, body: bytes) -> Reading:
        """Read a whole reply strictly, good or error; never raises."""
        return super().read_reply(status, _as_chat(body, "message"))

    def stream_reader(self) -> StreamReader:
        """Make a reader for one streamed reply of status 2xx."""
        return _StreamReader()


class _StreamReader:
    """Reads a stream by the reader of chats: only the place of the text differs."""

    def __init__(self) -> None:
        self._sse = SseReader()
        self._chats = ChatCompletionsStream()
        self._events = 0
        self._head = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes; any split is allowed."""
        if not self._events:
            self._head += data
        for event in self._sse.feed(data):
            self._events += 1
            named = f"event: {event.event}\n" if event.event else ""
            lines = _as_chat(event.data.encode(errors="replace"), "delta").decode().splitlines()
            said = "\n".join(f"data: {line}" for line in lines or [""])
            self._chats.feed(f"{named}{said}\n\n".encode())

    @property
    def has_output(self) -> bool:
        """Text has begun."""
        return self._chats.has_output

    def close(self) -> Reading:
        """End the stream and tell what it was."""
        tail = self._sse.close().encode(errors="replace")
        # What is no event stream at all is read as it came.
        self._chats.feed(tail if self._events else self._head)
        return self._chats.close()


def _as_chat(body: bytes, place: str) -> bytes:
    """Write *body* as a chat's: the text of each choice goes into *place*; else as it is."""
    try:
        parsed = parse_json(body)
    except ValueError:
        return body
    if not isinstance(parsed, dict) or not isinstance(parsed.get("choices"), list):
        return body
    choices = list(_chosen(parsed["choices"], place))
    return json.dumps({**parsed, "choices": choices}).encode()


def _chosen(choices: list[Any], place: str) -> Iterator[Any]:
    for choice in choices:
        if not isinstance(choice, dict) or "text" not in choice:
            yield choice
            continue
        rest = {name: value for name, value in choice.items() if name != "text"}
        yield {**rest, place: {"role": "assistant", "content": choice["text"]}}


def _choice(words: str, reason: str | None) -> Json:
    return {"index": 0, "text": words, "logprobs": None, "finish_reason": reason}


def _event(payload: Json) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()
