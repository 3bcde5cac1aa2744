"""Everything there is to drill with, from the registries."""

from chaos.faults.kinds import FAULTS
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.expand import Catalogue
from chaos.traffic.every_shape import EVERY_SHAPE

CATALOGUE = Catalogue(faults=FAULTS, shapes=EVERY_SHAPE, surfaces=SURFACES, dialects=DIALECTS)
