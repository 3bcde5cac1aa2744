"""What vLLM refuses to do, and in which words.

Source: vLLM 0.32.0, raw replies; the text for a prompt that only together with its answer is
too long: seen in public reports of the same wording.
"""

from dataclasses import dataclass
from typing import Any

from chaos.lab.engine_flags import EngineFlags
from chaos.protocol.conversation import Ask, Json

CHARACTERS_PER_TOKEN = 4
CHOICES = frozenset({"auto", "none", "required"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error reply of the engine."""

    status: int
    message: str
    type: str
    param: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        """The envelope of vLLM's OpenAI endpoints."""
        error = {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.status,
        }
        return {"error": error}

    @property
    def anthropic_body(self) -> dict[str, Any]:
        """The envelope of its ``/v1/messages``."""
        return {"type": "error", "error": {"type": self.type, "message": self.message}}


def tokens_in(text: str) -> int:
    """Count tokens roughly."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def prompt_text(ask: Ask) -> str:
    """Put together what the chat template would; tools are part of the prompt."""
    calls = (call.arguments for turn in ask.turns for call in turn.tool_calls)
    tools = (f"{tool.name}{tool.description}{tool.parameters}" for tool in ask.tools)
    return "".join([ask.text, *calls, *tools])


def refusal(flags: EngineFlags, ask: Ask, body: Json) -> Refusal | None:
    """Say why *body*, read as *ask*, is refused; None if it is not."""
    return (
        _malformed(body)
        or _wrong_model(flags, body)
        or _tools_off(flags, ask)
        or _no_pictures(flags, ask)
        or _too_long(flags, ask, body)
    )


def _malformed(body: Json) -> Refusal | None:
    if body.get("tools") == []:
        return _bad(
            "`tools` must not be an empty array. Either provide at least one tool or omit the "
            "field entirely. (parameter=tools)",
            "tools",
        )
    if body.get("tool_choice") not in (None, "none") and not body.get("tools"):
        return _bad(
            "When using `tool_choice`, `tools` must be set. (parameter=tool_choice)", "tool_choice"
        )
    if (body.get("n") or 1) > 1 and body.get("temperature") == 0:
        return _bad(f"n must be 1 when using greedy sampling, got {body['n']}.")
    return None


def _wrong_model(flags: EngineFlags, body: Json) -> Refusal | None:
    if body.get("model") in flags.served_model_names:
        return None
    return Refusal(
        404,
        f"The model `{body.get('model')}` does not exist. "
        f"Valid aliases: {', '.join(flags.served_model_names)}.",
        "NotFoundError",
        "model",
    )


def _tools_off(flags: EngineFlags, ask: Ask) -> Refusal | None:
    if not ask.tools or ask.tool_choice == "none":
        return None
    if ask.tool_choice == "auto":
        if flags.enable_auto_tool_choice:
            return None
        return _bad(
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'
        )
    if flags.tool_call_parser is not None:
        return None
    chosen = '"required"' if ask.tool_choice == "required" else f'function "{ask.tool_choice}"'
    return _bad(f"tool_choice={chosen} requires --tool-call-parser to be set")


def _no_pictures(flags: EngineFlags, ask: Ask) -> Refusal | None:
    if flags.multimodal or not any(turn.images for turn in ask.turns):
        return None
    return _bad(f"{flags.model} is not a multimodal model")


def _too_long(flags: EngineFlags, ask: Ask, body: Json) -> Refusal | None:
    longest = flags.max_model_len
    wanted = ask.max_tokens
    if wanted is not None and wanted > longest:
        name = next(
            (key for key in ("max_completion_tokens", "max_output_tokens") if body.get(key)),
            "max_tokens",
        )
        return _bad(
            f"{name}={wanted} cannot be greater than max_model_len={longest}. "
            f"Please request fewer output tokens. (parameter={name}, value={wanted})",
            name,
        )
    prompt = tokens_in(prompt_text(ask))
    if prompt > longest:
        return _bad(
            f"This model's maximum context length is {longest} tokens. However, your prompt "
            f"contains at least {longest + 1} input tokens, which exceeds this limit even without "
            "any output tokens. Please reduce the length of the input prompt. "
            f"(parameter=input_tokens, value={longest + 1})",
            "input_tokens",
        )
    if wanted is not None and prompt + wanted > longest:
        # It stops counting the prompt where nothing fits any more, hence "at least".
        least = longest - wanted + 1
        return _bad(
            f"This model's maximum context length is {longest} tokens. However, you requested "
            f"{wanted} output tokens and your prompt contains at least {least} input tokens, for "
            f"a total of at least {longest + 1} tokens. Please reduce the length of the input "
            "prompt or the number of requested output tokens. "
            f"(parameter=input_tokens, value={least})",
            "input_tokens",
        )
    return None


def _bad(message: str, param: str | None = None) -> Refusal:
    return Refusal(400, message, "BadRequestError", param)
