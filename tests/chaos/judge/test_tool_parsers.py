"""A leaked call's markup names the parser that would have read it."""

import pytest

from chaos.judge.tool_parsers import flags_for


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("<|tool_call>call:note{a:1}<tool_call|>", "--tool-call-parser gemma4"),
        (
            'Sure. <tool_call>{"name": "note"}</tool_call>',
            "--tool-call-parser hermes or --tool-call-parser qwen3_coder",
        ),
        ('[TOOL_CALLS]note{"a": 1}', "--tool-call-parser mistral"),
        ("[TOOL_CALLS]note <tool_call>", "--tool-call-parser mistral"),
        ('{"name": "note", "arguments": {}}', None),
        ("<tool_code>note()</tool_code>", None),
        ("", None),
    ],
)
def test_the_first_tag_that_is_known_counts(text: str, flags: str | None):
    """JSON alone is what many parsers read."""
    assert flags_for(text) == flags
