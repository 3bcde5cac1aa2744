"""Ways to bring a drill's request to the witness.

To add one: a new file here with a class that has the methods of ``chaos.drill.injector.Injector``,
and its name below. Which one drills a scenario is decided by ``choose``, from their objections.
"""

from collections.abc import Sequence

from chaos.drill.injector import Injector, Objection
from chaos.drill.injectors.redirect import Redirect
from chaos.drill.injectors.twin import Twin
from chaos.scenario.expand import Scenario

INJECTORS = (Redirect.name, Twin.name)


def choose(
    injectors: Sequence[Injector], scenario: Scenario
) -> tuple[Injector | None, tuple[tuple[str, Objection], ...]]:
    """Take the first injector without an objection, and tell the objections of those before.

    Returns:
        The injector, or None if every one objects; and (name, objection) in order.
    """
    objections: list[tuple[str, Objection]] = []
    for injector in injectors:
        objection = injector.objection(scenario)
        if objection is None:
            return injector, tuple(objections)
        objections.append((injector.name, objection))
    return None, tuple(objections)
