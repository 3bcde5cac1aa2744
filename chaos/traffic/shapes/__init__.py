"""The kinds of requests that drills send, by name, in the order of the public contract.

To add one: in a new file here write a ``chaos.traffic.shape.TrafficShape``, import it, and list it
below. Its prompt must
carry the nonce and leave a good small model nothing to decide; its expectation must be met by what
``chaos.protocol.stand_in.compose`` answers, which the contract tests in
``tests/chaos/traffic/shapes/test_registry.py`` ask for in every wire format.
"""

from collections.abc import Mapping

from chaos.registry import index
from chaos.traffic.shape import TrafficShape
from chaos.traffic.shapes.agent import Agent
from chaos.traffic.shapes.chat import Chat
from chaos.traffic.shapes.embedding import Embedding
from chaos.traffic.shapes.image import Image
from chaos.traffic.shapes.long_context import LongContext
from chaos.traffic.shapes.parallel_tool_calls import ParallelToolCalls
from chaos.traffic.shapes.structured_output import StructuredOutput
from chaos.traffic.shapes.tool_call import ToolCallAuto
from chaos.traffic.shapes.tool_call_required import ToolCallRequired
from chaos.traffic.shapes.tool_result import ToolResult

SHAPES: Mapping[str, TrafficShape] = index(
    Chat(),
    ToolCallAuto(),
    ToolCallRequired(),
    ParallelToolCalls(),
    ToolResult(),
    StructuredOutput(),
    LongContext(),
    Agent(),
    Image(),
    Embedding(),
)
