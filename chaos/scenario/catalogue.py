"""Everything there is to drill with, from the registries."""

from chaos.faults.kinds import FAULTS
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.expand import Catalogue
from chaos.traffic.shapes import SHAPES

CATALOGUE = Catalogue(faults=FAULTS, shapes=SHAPES, surfaces=SURFACES, dialects=DIALECTS)
