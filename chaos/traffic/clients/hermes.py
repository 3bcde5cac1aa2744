"""Hermes Agent, of Nous Research."""

from chaos.traffic.client import Client, Sent

_CUSTOM = (
    "NousResearch/hermes-agent, plugins/model-providers/custom/__init__.py: its provider for "
    "endpoints of one's own sends reasoning_effort on the top level, and no max_tokens"
)

HERMES = Client(
    name="hermes",
    summary="Hermes Agent: chat completions with reasoning_effort, without max_tokens.",
    headers={
        # To an endpoint of one's own it gives no name but that of the client library.
        "User-Agent": Sent("OpenAI/Python 2.24.0", "openai-python", unconfirmed=True),
    },
    asks={
        "chat_completions": {
            "reasoning_effort": Sent("medium", _CUSTOM),
        }
    },
)
