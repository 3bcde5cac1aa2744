"""One drill that is run for real, against a small gateway."""

from tests.fakes.drilling import drilling, honest, scenario


async def one(gateway=None, **wanted):
    """Run one drill for real, against a small gateway."""
    async with drilling(gateway or honest()) as (driller, injector, _):
        return await driller.drill(scenario(**wanted), injector)
