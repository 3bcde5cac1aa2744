"""Codex, OpenAI's agent for the terminal."""

from chaos.traffic.client import SESSION, Client, Sent

_REQUEST = "openai/codex, codex-rs/codex-api/src/common.rs, ResponsesApiRequest"
_VALUES = "openai/codex, codex-rs/core/src/client.rs, stream_responses_api"
_NAME = "openai/codex, codex-rs/core/src/default_client.rs, get_codex_user_agent"

CODEX = Client(
    name="codex",
    summary="Codex CLI: Responses without a store, with encrypted reasoning.",
    headers={
        # LiteLLM 1.106.2 has the catalogue of this version's models.
        "User-Agent": Sent("codex_cli_rs/0.159.3 (Ubuntu 24.4.0; x86_64) xterm-256color", _NAME),
        "originator": Sent("codex_cli_rs", _NAME),
        "session_id": Sent(
            SESSION, "LiteLLM 1.106.2, proxy/litellm_pre_call_utils.py, _CODEX_SESSION_ID_HEADERS"
        ),
    },
    asks={
        "responses": {
            "reasoning": Sent({"effort": "medium", "summary": "auto"}, _VALUES),
            "store": Sent(False, _REQUEST),
            "include": Sent(["reasoning.encrypted_content"], _VALUES),
            "parallel_tool_calls": Sent(True, _REQUEST),
            "prompt_cache_key": Sent(SESSION, _VALUES),
        }
    },
)
