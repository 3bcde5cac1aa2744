"""The catalogue holds the registries whole."""

from chaos.faults.kinds import FAULTS
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.catalogue import CATALOGUE
from chaos.traffic.every_shape import EVERY_SHAPE


def test_everything_registered_can_be_drilled():
    """A new entry of a registry needs no line here."""
    assert (CATALOGUE.faults, CATALOGUE.shapes) == (FAULTS, EVERY_SHAPE)
    assert (CATALOGUE.surfaces, CATALOGUE.dialects) == (SURFACES, DIALECTS)
