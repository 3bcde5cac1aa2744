"""Claude Code, Anthropic's agent for the terminal."""

import json

from chaos.traffic.client import SESSION, Client, Sent

_WIRE = (
    "BerriAI/litellm, its own test of Claude Code 2.1.283: "
    "test_claude_code_streaming_request_reaches_anthropic_intact_and_streams_back"
)
_DOCS = "code.claude.com/docs/en/llm-gateway, request headers"
_BETAS = (
    "claude-code-20250219,interleaved-thinking-2025-05-14,thinking-token-count-2026-05-13,"
    "context-management-2025-06-27,prompt-caching-scope-2026-01-05"
)

CLAUDE_CODE = Client(
    name="claude_code",
    summary="Claude Code: Messages with thinking, 32,000 max_tokens and betas.",
    headers={
        "User-Agent": Sent("claude-cli/2.1.283 (external, sdk-cli)", _WIRE),
        "anthropic-version": Sent("2023-06-01", _DOCS),
        "anthropic-beta": Sent(_BETAS, _WIRE),
        "anthropic-dangerous-direct-browser-access": Sent("true", _WIRE),
        "x-app": Sent("cli", _WIRE),
        "x-claude-code-session-id": Sent(SESSION, _DOCS),
    },
    # No temperature: Anthropic takes no other than 1 beside thinking, and Claude Code sends none.
    asks={
        "messages": {
            "max_tokens": Sent(32_000, _WIRE),
            "thinking": Sent(
                {"type": "enabled", "budget_tokens": 31_999, "display": "omitted"}, _WIRE
            ),
            "metadata": Sent(
                {
                    "user_id": json.dumps(
                        {"device_id": "0" * 64, "account_uuid": "", "session_id": SESSION}
                    )
                },
                _WIRE,
            ),
            "context_management": Sent(
                {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}, _WIRE
            ),
        }
    },
    cached_system=True,
)
