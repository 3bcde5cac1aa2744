"""Drills together, or one alone."""

import asyncio

from chaos.drill.twin.turns import Turns


async def test_who_needs_closed_doors_drills_alone():
    """A refused connection would hit every drill that uses the same deployment."""
    turns, order = Turns(), []
    first_in, let_go = asyncio.Event(), asyncio.Event()

    async def together():
        async with turns.together():
            first_in.set()
            await let_go.wait()
            order.append("together")

    async def alone():
        await first_in.wait()
        async with turns.alone():
            order.append("alone")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(together())
        tasks.create_task(alone())
        await first_in.wait()
        await asyncio.sleep(0)
        let_go.set()
    assert order == ["together", "alone"]
