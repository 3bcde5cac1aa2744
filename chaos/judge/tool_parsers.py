"""Which of vLLM's tool-call parsers reads which markup, where the markup says enough.

Source: ``vllm/tool_parsers`` of vLLM 0.32 (0.31 has the same); ``tests/engine`` compares.
"""

PARSERS = {
    "<|tool_call>": ("gemma4",),
    "<tool_call>": ("hermes", "qwen3_coder"),
    "[TOOL_CALLS]": ("mistral",),
    "<|python_tag|>": ("llama3_json",),
    "<|tool_calls_section_begin|>": ("kimi_k2",),
    "<minimax:tool_call>": ("minimax_m2",),
    "<longcat_tool_call>": ("longcat",),
}
"""Parsers by the tag that begins a call, the usual one first."""


def flags_for(text: str) -> str | None:
    """Name the flag with which an engine would read the call that stands in *text*.

    Returns:
        None where the text has no tag that is known.
    """
    found = [(text.find(tag), names) for tag, names in PARSERS.items() if tag in text]
    if not found:
        return None
    return " or ".join(f"--tool-call-parser {name}" for name in min(found)[1])
