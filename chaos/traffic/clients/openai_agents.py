"""The OpenAI Agents SDK for Python."""

from chaos.traffic.client import Client, Sent

_REQUEST = "openai/openai-agents-python, src/agents/models/openai_responses.py"
_CHAT = "openai/openai-agents-python, src/agents/models/openai_chatcompletions.py"
_DEFAULTS = (
    "openai/openai-agents-python, src/agents/models/default_models.py: what it sets for gpt-5, "
    "and for models of no other name"
)

OPENAI_AGENTS = Client(
    name="openai_agents",
    summary="OpenAI Agents SDK: Responses, or chat completions, with low effort for gpt-5.",
    headers={
        # The release is a guess; the form is the source's.
        "User-Agent": Sent("Agents/Python 0.17.0", _REQUEST, unconfirmed=True),
    },
    asks={
        "responses": {
            "include": Sent([], _REQUEST),
            "reasoning": Sent({"effort": "low"}, _DEFAULTS, models="gpt-5*"),
            "text": Sent({"verbosity": "low"}, _DEFAULTS, models="gpt-5*"),
            # Sent where ModelSettings.parallel_tool_calls is set, as its documentation advises.
            "parallel_tool_calls": Sent(True, _REQUEST, unconfirmed=True),
        },
        "chat_completions": {
            "reasoning_effort": Sent("low", _CHAT, models="gpt-5*"),
            "verbosity": Sent("low", _CHAT, models="gpt-5*"),
            "parallel_tool_calls": Sent(True, _CHAT, unconfirmed=True),
        },
    },
)
