"""The languages of model APIs, by name.

To add one: in a new file here write a class with what ``chaos.wire_format.WireFormat`` asks for
(its readers may be files of their own beside it), import it, and list it below. Its files must
not import this registry. The contract tests in ``tests/chaos/wire_formats/test_registry.py``
then hold it to: what it writes it reads back, whatever the split, and no bytes make it raise.
"""

from collections.abc import Mapping

from chaos.registry import index
from chaos.wire_format import WireFormat
from chaos.wire_formats.bedrock_invoke import BedrockInvoke
from chaos.wire_formats.chat_completions import ChatCompletions
from chaos.wire_formats.converse import Converse
from chaos.wire_formats.embeddings import Embeddings
from chaos.wire_formats.gemini_embeddings import GeminiEmbedContent, GeminiEmbeddings
from chaos.wire_formats.generate_content import GenerateContent
from chaos.wire_formats.messages import Messages
from chaos.wire_formats.responses import Responses

WIRE_FORMATS: Mapping[str, WireFormat] = index(
    ChatCompletions(),
    Messages(),
    Responses(),
    GenerateContent(),
    Converse(),
    BedrockInvoke(),
    Embeddings(),
    GeminiEmbeddings(),
    GeminiEmbedContent(),
)
