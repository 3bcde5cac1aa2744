"""Every shape that can be drilled: those of the registry, and what each client makes of them."""

from collections.abc import Mapping

from chaos.registry import index
from chaos.traffic.as_client import shape_as_client
from chaos.traffic.clients import CLIENTS
from chaos.traffic.shape import TrafficShape
from chaos.traffic.shapes import SHAPES

EVERY_SHAPE: Mapping[str, TrafficShape] = index(
    *SHAPES.values(),
    *(
        shape_as_client(SHAPES[name], client)
        for client in CLIENTS.values()
        for name in client.shapes
    ),
)
