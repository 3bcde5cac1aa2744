"""The clients that people really use, by name: how each asks, with a source for each fact.

To add one: in a new file here write a ``chaos.traffic.client.Client``, import it, and list it
below. Each header and parameter has a source, or is marked as unconfirmed. No text of a client's
own prompts is copied: what is asked is a shape's.
"""

from collections.abc import Mapping

from chaos.registry import index
from chaos.traffic.client import Client
from chaos.traffic.clients.claude_code import CLAUDE_CODE
from chaos.traffic.clients.cline import CLINE
from chaos.traffic.clients.codex import CODEX
from chaos.traffic.clients.hermes import HERMES
from chaos.traffic.clients.openai_agents import OPENAI_AGENTS

CLIENTS: Mapping[str, Client] = index(
    CLAUDE_CODE,
    CODEX,
    OPENAI_AGENTS,
    HERMES,
    CLINE,
)
