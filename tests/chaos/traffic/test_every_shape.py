"""What can be drilled: each shape by itself, and as each client sends it."""

from chaos.traffic.clients import CLIENTS
from chaos.traffic.every_shape import EVERY_SHAPE
from chaos.traffic.shapes import SHAPES


def test_the_shapes_come_first_and_belong_to_nobody():
    """What is drilled without being named is asked as nobody in particular."""
    assert list(EVERY_SHAPE)[: len(SHAPES)] == list(SHAPES)
    assert [n for n, shape in EVERY_SHAPE.items() if shape.client is None] == list(SHAPES)


def test_each_client_sends_its_shapes():
    """A new client is drilled without another line."""
    for client in CLIENTS.values():
        for name in client.shapes:
            assert EVERY_SHAPE[f"{name}.{client.name}"].client == client.name
