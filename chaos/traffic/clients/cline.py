"""Cline, the agent for editors, with its provider for LiteLLM."""

from chaos.traffic.client import SESSION, Client, Sent

_PROVIDER = "cline/cline, src/core/api/providers/litellm.ts, createMessage"

CLINE = Client(
    name="cline",
    summary="Cline by its LiteLLM provider: chat completions with drop_params of its own.",
    headers={
        "User-Agent": Sent("OpenAI/JS 4.83.0", "openai-node", unconfirmed=True),
    },
    asks={
        "chat_completions": {
            "temperature": Sent(1, _PROVIDER),
            "drop_params": Sent(True, _PROVIDER),
            "litellm_session_id": Sent(f"cline-{SESSION}", _PROVIDER),
        }
    },
)
