"""What a whole daemon reports to the service manager."""

from pathlib import Path

import pytest
import yaml

from supervisor.daemon.liveness import PATIENCE_S, Liveness
from supervisor.systemd import Systemd
from tests.fakes.daemons import site
from tests.fakes.service_manager import service_manager


async def test_a_daemon_reports_its_start_its_life_and_its_end(tmp_path: Path):
    """READY only when the API answers; STATUS in words; the watchdog is fed; STOPPING last."""
    async with service_manager(tmp_path) as manager, site(tmp_path) as here:
        async with here.daemon(Systemd(manager.address, watchdog_s=0.4)) as daemon:
            start = await manager.next()
            assert start == {
                "EXTEND_TIMEOUT_USEC": f"{PATIENCE_S * 1e6:.0f}",
                "STATUS": "Opening the store",
            }
            ready = await manager.until("READY")
            assert "fallback path" in ready["STATUS"]
            assert (await daemon.get("/api/v1/status"))["problems"] == []
            await manager.until("WATCHDOG")
            await daemon.drilled()
            while not (await manager.until("STATUS"))["STATUS"].startswith(
                "All 6 fallback paths proven within their targets; next drill in "
            ):
                pass
        assert manager.waiting()[-1] == {"STOPPING": "1", "STATUS": "Stopping"}


async def test_a_dead_scheduler_starves_the_watchdog(tmp_path: Path):
    """The loop turns and the API answers, and still nothing would be drilled any more."""
    async with (
        service_manager(tmp_path) as manager,
        site(tmp_path) as here,
        here.daemon(Systemd(manager.address, watchdog_s=0.04)) as daemon,
    ):
        for _ in range(5):
            await manager.until("WATCHDOG")
        assert daemon.service.clockwork is not None
        daemon.service.clockwork._scheduler.pause()
        # Whatever was under way when it died has arrived after a turn or two.
        for _ in range(3):
            await daemon.get("/api/v1/status")
        manager.waiting()
        # Each takes some milliseconds, of the ten after which life would be reported.
        for _ in range(100):
            await daemon.get("/api/v1/status")
        assert [m for m in manager.waiting() if "WATCHDOG" in m] == []


async def test_a_store_that_hangs_does_not_starve_the_watchdog(tmp_path: Path):
    """A database that is away is reported; a restart would not bring it back."""
    async with (
        service_manager(tmp_path) as manager,
        site(tmp_path) as here,
        here.daemon(Systemd(manager.address, watchdog_s=0.4)) as daemon,
    ):
        await manager.until("READY")
        assert daemon.service.board is not None
        async with daemon.service.board._making:
            for _ in range(3):
                await manager.until("WATCHDOG")


async def test_a_reload_is_reported_with_what_came_of_it(tmp_path: Path):
    """RELOADING, then READY: also where the file was refused, because the daemon goes on."""
    async with (
        service_manager(tmp_path) as manager,
        site(tmp_path) as here,
        here.daemon(Systemd(manager.address)) as daemon,
    ):
        await manager.until("READY")
        daemon.service.reload()
        await manager.until("RELOADING")
        assert (await manager.until("READY"))["STATUS"] == "configuration reloaded"
        here.config["nonsense"] = yaml.safe_load("{}")
        daemon.service.reload()
        await manager.until("RELOADING")
        status = (await manager.until("READY"))["STATUS"]
        assert status.startswith("the new configuration was refused: understudy.yaml: 1 probl")


async def test_a_reload_before_the_start_has_ended_reports_no_ready(tmp_path: Path):
    """Else systemd would take the daemon for started."""
    async with service_manager(tmp_path) as manager:
        asked = []
        Liveness(Systemd(manager.address)).reload(lambda: asked.append(1))
        assert (asked, manager.waiting()) == ([1], [])


@pytest.mark.parametrize(("watchdog_s", "every_s"), [(None, 5), (60.0, 5), (8.0, 2)])
def test_life_is_reported_well_within_the_watchdog_s_patience(watchdog_s, every_s):
    """A turn that comes late, or one lost datagram, is no reason for a restart."""
    assert Liveness(Systemd("", watchdog_s)).every.total_seconds() == every_s
