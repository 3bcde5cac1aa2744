"""Names that a shell completes, from the registries; what is imported for them is imported then."""

from collections.abc import Iterable


def faults(incomplete: str) -> list[str]:
    """Complete a fault, and after a dot its variant."""
    from chaos.faults.kinds import FAULTS, variants_of

    name, dot, _ = incomplete.partition(".")
    if not dot:
        return _beginning(FAULTS, incomplete)
    variants = variants_of(name) if name in FAULTS else ()
    return _beginning([f"{name}.{variant}" for variant in (*variants, "once")], incomplete)


def shapes(incomplete: str) -> list[str]:
    """Complete a traffic shape, and after a dot the client that sends it."""
    from chaos.traffic.every_shape import EVERY_SHAPE
    from chaos.traffic.shapes import SHAPES

    return _beginning(EVERY_SHAPE if "." in incomplete else SHAPES, incomplete)


def clients(incomplete: str) -> list[str]:
    """Complete a client."""
    from chaos.traffic.clients import CLIENTS

    return _beginning(CLIENTS, incomplete)


def surfaces(incomplete: str) -> list[str]:
    """Complete a surface."""
    from chaos.protocol.surfaces import SURFACES

    return _beginning(SURFACES, incomplete)


def setups(incomplete: str) -> list[str]:
    """Complete a set-up of the lab."""
    from chaos.lab.setups import SETUPS

    return _beginning(SETUPS, incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
