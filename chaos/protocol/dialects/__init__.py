"""How each provider is called, and how it fails.

To add one: in a new file here write a class with what ``chaos.protocol.dialect.Dialect`` asks for,
import it, and list it below. Each row of its errors names its source; what no public source
confirms is marked ``unconfirmed``. A provider that is compatible with OpenAI needs no file: it is
one more prefix in ``OpenAI.providers`` and, if it has an address of its own, one more line in
``DEFAULT_BASES``. Contract tests: ``tests/chaos/protocol/dialects/test_registry.py``.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from chaos.protocol.dialect import Dialect
from chaos.protocol.dialects.anthropic import Anthropic
from chaos.protocol.dialects.azure import Azure
from chaos.protocol.dialects.bedrock import Bedrock
from chaos.protocol.dialects.gemini import Gemini
from chaos.protocol.dialects.generic import Generic
from chaos.protocol.dialects.ollama import Ollama
from chaos.protocol.dialects.openai import OpenAI
from chaos.protocol.dialects.openrouter import OpenRouter
from chaos.protocol.dialects.vertex import Vertex
from chaos.protocol.dialects.vllm import Vllm
from chaos.registry import index

DIALECTS: Mapping[str, Dialect] = index(
    Anthropic(),
    OpenAI(),
    Azure(),
    Gemini(),
    OpenRouter(),
    Bedrock(),
    Vllm(),
    Ollama(),
    Vertex(),
    Generic(),
)

_BY_PROVIDER: Final = {
    provider: dialect for dialect in DIALECTS.values() for provider in dialect.providers
}

DEFAULT_BASES: Mapping[str, str] = MappingProxyType(
    {
        "anthropic": "https://api.anthropic.com",
        "cerebras": "https://api.cerebras.ai/v1",
        "dashscope": "https://dashscope.aliyuncs.com/compatible-mode/v1",
        "deepinfra": "https://api.deepinfra.com/v1/openai",
        "deepseek": "https://api.deepseek.com/beta",
        "fireworks_ai": "https://api.fireworks.ai/inference/v1",
        "gemini": "https://generativelanguage.googleapis.com/v1beta",
        "github": "https://models.inference.ai.azure.com",
        "groq": "https://api.groq.com/openai/v1",
        "mistral": "https://api.mistral.ai/v1",
        "moonshot": "https://api.moonshot.ai/v1",
        "nebius": "https://api.studio.nebius.ai/v1",
        "novita": "https://api.novita.ai/v3/openai",
        "nvidia_nim": "https://integrate.api.nvidia.com/v1",
        "openai": "https://api.openai.com/v1",
        "openrouter": "https://openrouter.ai/api/v1",
        "perplexity": "https://api.perplexity.ai",
        "sambanova": "https://api.sambanova.ai/v1",
        "together_ai": "https://api.together.ai/v1",
        "xai": "https://api.x.ai/v1",
    }
)
"""Where LiteLLM sends the requests of a deployment that names no ``api_base``, unless its
environment says otherwise: a suggestion for people, never an address to send a key to.

Source: LiteLLM 1.106.2, ``get_llm_provider_logic.py`` and each provider's ``transformation.py``.
"""

LOCAL_BASES: Mapping[str, str] = MappingProxyType(
    {
        "llamafile": "http://127.0.0.1:8080/v1",
        "ollama": "http://localhost:11434",
        "ollama_chat": "http://localhost:11434",
    }
)
"""The same for local servers, as seen from the gateway's machine or container.

Source: LiteLLM 1.106.2, ``llms/ollama`` and ``llms/llamafile``, ``transformation.py``.
"""


def dialect_of(provider: str) -> Dialect | None:
    """Find who speaks for LiteLLM's provider prefix *provider*; None if nobody does."""
    return _BY_PROVIDER.get(provider)


_ROUTES: Final[Mapping[str, frozenset[str]]] = {
    "openai": frozenset({"responses"}),
    "azure": frozenset({"responses", "o_series", "gpt5_series"}),
    "bedrock": frozenset({"converse", "converse_like", "invoke"}),
}
"""What LiteLLM takes for a route of its own between provider and model."""

_AWS_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_FIREWORKS: Final = "accounts/fireworks/models/"


def upstream_model(provider: str, litellm_model: str) -> str:
    """Name the model as it crosses the wire.

    Args:
        litellm_model: ``litellm_params.model``, such as ``bedrock/converse/us.amazon.nova-…``;
            the provider may be missing, as it may be there.

    Source: requests that LiteLLM 1.106.2 sent.
    """
    provider = "bedrock" if provider == "bedrock_converse" else provider
    model = litellm_model.removeprefix(f"{provider}/")
    routes = _ROUTES.get(provider, frozenset())
    first, slash, rest = model.partition("/")
    while slash and (first in routes or (provider == "bedrock" and _AWS_REGION.fullmatch(first))):
        model = rest
        first, slash, rest = model.partition("/")
    if provider == "fireworks_ai" and not model.startswith("accounts/"):
        return f"{_FIREWORKS}{model}"
    return model
