"""The endpoints of a gateway that drills ask at, by name.

To add one: in a new file here write a frozen dataclass with what ``chaos.surface.Surface`` asks
for, import it and list it below. Scenarios, the command line and the contract tests in
``tests/chaos/surfaces/test_registry.py`` follow.
"""

from collections.abc import Mapping

from chaos.registry import index
from chaos.surface import Surface
from chaos.surfaces.chat_completions import ChatCompletionsSurface
from chaos.surfaces.embeddings import EmbeddingsSurface
from chaos.surfaces.messages import MessagesSurface
from chaos.surfaces.responses import ResponsesSurface

SURFACES: Mapping[str, Surface] = index(
    ChatCompletionsSurface(),
    MessagesSurface(),
    ResponsesSurface(),
    EmbeddingsSurface(),
)
