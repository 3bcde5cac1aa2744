"""The languages of model APIs, by name.

To add one: in a new file here write a class with what ``chaos.protocol.format.WireFormat`` asks
for (its readers may be files of their own beside it), import it, and list it below. Its files must
not import this registry. The contract tests in ``tests/chaos/protocol/formats/test_registry.py``
then hold it to: what it writes it reads back, whatever the split, and no bytes make it raise.
"""

from collections.abc import Mapping

from chaos.protocol.format import WireFormat
from chaos.protocol.formats.bedrock_invoke import BedrockInvoke
from chaos.protocol.formats.chat_completions.write import ChatCompletions
from chaos.protocol.formats.converse.write import Converse
from chaos.protocol.formats.embeddings import Embeddings
from chaos.protocol.formats.gemini_embeddings import GeminiEmbedContent, GeminiEmbeddings
from chaos.protocol.formats.generate_content.write import GenerateContent
from chaos.protocol.formats.messages.write import Messages
from chaos.protocol.formats.ollama.chat import OllamaChat
from chaos.protocol.formats.ollama.embed import OllamaEmbeddings
from chaos.protocol.formats.ollama.generate import OllamaGenerate
from chaos.protocol.formats.responses.write import Responses
from chaos.protocol.formats.text_completions import CodestralFim, TextCompletions
from chaos.protocol.formats.vertex_raw_predict import VertexRawPredict
from chaos.registry import index

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
    OllamaChat(),
    OllamaGenerate(),
    OllamaEmbeddings(),
    VertexRawPredict(),
    TextCompletions(),
    CodestralFim(),
)
