"""Ways to bring a drill's request to the witness.

To add one: in a new file here write a class that inherits ``chaos.drill.injector.Injector``, and
list it below. ``auto`` prefers the first that has no objection to a scenario.
"""

from collections.abc import Mapping, Sequence

from chaos.drill.injector import Injector, Objection
from chaos.drill.injectors.redirect import Redirect
from chaos.drill.injectors.twin import Twin
from chaos.registry import index
from chaos.scenario.scenario import Scenario

INJECTORS: Mapping[str, type[Injector]] = index(Redirect, Twin)


def choose(
    injectors: Sequence[Injector], scenario: Scenario
) -> tuple[Injector | None, tuple[tuple[str, Objection], ...]]:
    """Take the first injector without an objection, and list the objections of those before.

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
