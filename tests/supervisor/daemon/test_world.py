"""What the API may ask of the daemon."""

from pathlib import Path

from supervisor.daemon.world import DaemonWorld
from tests.fakes.daemons import site


async def test_a_halt_for_a_while_has_an_end_and_a_reason(tmp_path: Path):
    """One without a reason says that there was none; a resume of nothing says so."""
    async with site(tmp_path) as here, here.daemon() as daemon:
        await daemon.drilled()
        service = daemon.service
        assert service.board is not None
        assert service.worker is not None
        assert service.watch is not None
        assert service.alerting is not None
        world = DaemonWorld(
            service.board,
            service.worker.store,
            service.worker,
            service.watch,
            service.alerting,
            service.clock,
        )
        halt = await world.halt("", 60.0, everywhere=False)
        assert halt.reason == "no reason was given"
        assert halt.daemon == "spark-1"
        assert halt.until is not None
        assert (halt.until - halt.since).total_seconds() == 60
        assert (await world.status()).halt == halt
        assert await world.resume(everywhere=True)
        assert not await world.resume(everywhere=True)
