"""Have an engine write a given text, to see which parser reads it.

A grammar leaves the model no choice, so the answer does not depend on the model: whichever text
comes back as a tool call, or as a thought apart from the answer, is one that the parser reads.

What it cannot tell: parsers that read the same text alike (``hermes`` and its aliases); parsers
that look for a token of the vocabulary instead of its text, as that of Mistral; reasoning parsers
that rest while the template is told not to think, as that of Qwen 3 (they are seen only by a
thought of the model's own, if it has one); and whether the model writes what its parser reads.
Only a drill tells that.

Source: vLLM 0.32.0, run: ``structured_outputs.choice`` beside ``tool_choice`` auto.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

TOOL = "understudy_probe"
MAX_TOKENS = 160


@dataclass(frozen=True, slots=True)
class Text:
    """A text in one model family's format.

    Attributes:
        format: The name by which the format is known.
    """

    format: str
    text: str


CALLS = (
    Text("hermes", f'<tool_call>\n{{"name": "{TOOL}", "arguments": {{"a": "b"}}}}\n</tool_call>'),
    Text("gemma4", f'<|tool_call>call:{TOOL}{{a:<|"|>b<|"|>}}<tool_call|>'),
    Text("pythonic", f"[{TOOL}(a='b')]"),
    Text("llama3_json", f'{{"name": "{TOOL}", "parameters": {{"a": "b"}}}}'),
    Text(
        "qwen3_xml",
        f"<tool_call>\n<function={TOOL}>\n<parameter=a>\nb\n</parameter>\n</function>\n"
        "</tool_call>",
    ),
)
"""A call of one tool. To add a format: a line here."""

THOUGHTS = (
    Text("think", "<think>\nab\n</think>\n\nhello"),
    Text("gemma4", "<|channel>thought\nab<channel|>hello"),
)
"""A thought and an answer. To add a format: a line here."""

OWN = "its model's own"
"""The format of a thought that nobody forced."""


def call_request(model: str, forced: Text) -> Mapping[str, Any]:
    """Ask for *forced* where a tool is offered."""
    return {**_request(model, forced), "tools": [tool()], "tool_choice": "auto"}


def thought_request(model: str, forced: Text) -> Mapping[str, Any]:
    """Ask for *forced* without tools."""
    return _request(model, forced)


def own_thought_request(model: str) -> Mapping[str, Any]:
    """Ask for anything, so that a model that thinks by itself does."""
    return {
        "model": model,
        "messages": [{"role": "user", "content": "Say hello."}],
        "max_tokens": MAX_TOKENS,
        "temperature": 0,
    }


def tool() -> Mapping[str, Any]:
    """Describe the one tool that is offered."""
    parameters = {"type": "object", "properties": {"a": {"type": "string"}}}
    return {"type": "function", "function": {"name": TOOL, "parameters": parameters}}


def _request(model: str, forced: Text) -> Mapping[str, Any]:
    return {
        "model": model,
        "messages": [{"role": "user", "content": "x"}],
        "max_tokens": MAX_TOKENS,
        "temperature": 0,
        "structured_outputs": {"choice": [forced.text]},
        # A grammar begins where the thought ends, and here it has to begin at once.
        "chat_template_kwargs": {"enable_thinking": False},
    }


def reads_call(answer: Any) -> bool | None:
    """Tell whether a whole reply made a call of the text; None if the text did not come."""
    message = _message(answer)
    if message is None:
        return None
    calls = message.get("tool_calls") or ()
    if any(isinstance(call, Mapping) and _name(call) == TOOL for call in calls):
        return True
    return False if TOOL in str(message.get("content")) else None


def reads_thought(answer: Any) -> bool | None:
    """Tell whether a whole reply set the thought apart; None if the text did not come."""
    message = _message(answer)
    if message is None:
        return None
    text = str(message.get("content") or "")
    thought = str(message.get("reasoning") or message.get("reasoning_content") or "")
    if thought.strip() == "ab" and text.strip() == "hello":
        return True
    return False if "hello" in text + thought else None


def has_own_thought(answer: Any) -> bool:
    """Tell whether a whole reply has a thought and, apart from it, an answer."""
    message = _message(answer) or {}
    thought = message.get("reasoning") or message.get("reasoning_content")
    return bool(thought) and bool(message.get("content"))


def read_by(results: Iterable[tuple[str, bool | None]]) -> tuple[str, ...] | None:
    """Collect the formats that were read; None if no text came back at all."""
    told = [(name, read) for name, read in results if read is not None]
    return tuple(name for name, read in told if read) if told else None


def _name(call: Mapping[str, Any]) -> Any:
    function = call.get("function")
    return function.get("name") if isinstance(function, Mapping) else None


def _message(answer: Any) -> Mapping[str, Any] | None:
    try:
        message = answer["choices"][0]["message"]
    except (LookupError, TypeError):
        return None
    return message if isinstance(message, Mapping) else None
