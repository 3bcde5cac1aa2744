"""Ask as a client of the registry: ``--as NAME``, and ``client`` in an order. Pure."""

from dataclasses import replace

from chaos.errors import UsageError
from chaos.registry import lookup
from chaos.scenario.expand import Selection
from chaos.traffic.as_client import name_as_client
from chaos.traffic.clients import CLIENTS
from chaos.traffic.every_shape import EVERY_SHAPE


def asked_as(selection: Selection, name: str) -> Selection:
    """Have what is selected asked as the client called *name*; by default the agent shape.

    Raises:
        UsageError: There is no such client, or it does not ask like that.
    """
    client = lookup("client", name, CLIENTS)
    shapes = tuple(_as(shape, name) for shape in selection.shapes or ("agent",))
    for shape in shapes:
        if shape not in EVERY_SHAPE:
            raise UsageError(
                f"{name} does not send the shape {shape.partition('.')[0]!r}",
                remedy=f"It sends {', '.join(client.shapes)}; leave out --shape for agent.",
            )
    for surface in selection.surfaces:
        if surface not in client.surfaces:
            raise UsageError(
                f"{name} does not ask on {surface!r}",
                remedy=f"It asks on {', '.join(client.surfaces)}; leave out --surface for the "
                "first.",
            )
    return replace(selection, shapes=shapes)


def _as(shape: str, client: str) -> str:
    whole = EVERY_SHAPE.get(shape)
    return shape if whole is not None and whole.client == client else name_as_client(shape, client)
