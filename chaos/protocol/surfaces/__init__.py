"""The endpoints of a gateway that drills ask at, by name.

To add one: in a new file here write a frozen dataclass with what
``chaos.protocol.surface.Surface`` asks for, import it and list it below. Scenarios, the command
line and the contract tests in ``tests/chaos/protocol/surfaces/test_registry.py`` follow.
"""

from collections.abc import Mapping

from chaos.protocol.surface import Surface
from chaos.protocol.surfaces.chat_completions import ChatCompletionsSurface
from chaos.protocol.surfaces.embeddings import EmbeddingsSurface
from chaos.protocol.surfaces.messages import MessagesSurface
from chaos.protocol.surfaces.responses import ResponsesSurface
from chaos.registry import index

SURFACES: Mapping[str, Surface] = index(
    ChatCompletionsSurface(),
    MessagesSurface(),
    ResponsesSurface(),
    EmbeddingsSurface(),
)
