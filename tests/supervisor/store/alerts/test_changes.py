"""How alerts stand and what was told outlive a restart, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import URL

from supervisor.store import upkeep
from supervisor.store.alerts.records import DeliveryState, Phase, Reason
from supervisor.store.errors import StoreError
from supervisor.store.records import Home
from supervisor.store.store import Store
from supervisor.store.upkeep import Limits
from tests.fakes.alerts import LABELS, alert_change, alert_state
from tests.fakes.manual_clock import NOON, ManualClock
from tests.supervisor.store.conftest import HOME

FIRING = alert_state()


async def tell(store: Store, *names: str, to=("ops",), **changes) -> None:
    """Write changes that are to be told."""
    await store.write_alerts([], [(alert_change(name, **changes), to) for name in names])


async def test_an_alert_outlives_a_restart(url: URL, clock: ManualClock):
    """As it was: what fires, since when, and when that was told."""
    async with Store.opened(url, HOME, clock) as first:
        await first.write_alerts([FIRING], [])
    async with Store.opened(url, HOME, clock) as second:
        assert await second.alerts() == (FIRING,)


async def test_what_is_resolved_is_not_read_again(store: Store):
    """It was told, and is over."""
    await store.write_alerts([FIRING], [])
    await store.write_alerts([replace(FIRING, phase=Phase.RESOLVED, ends_at=NOON)], [])
    assert await store.alerts() == ()
    pending = replace(FIRING, phase=Phase.PENDING, fired_at=None, told_at=None)
    await store.write_alerts([pending], [])
    assert await store.alerts() == (pending,)


async def test_a_silenced_change_is_kept_and_goes_to_nobody(store: Store):
    """What was not told can be looked at."""
    await tell(store, "d1", to=(), silence="lunch")
    (told,) = await store.told()
    assert (told.change.silence, told.deliveries) == ("lunch", ())


async def test_each_daemon_tells_for_itself(store: Store, url: URL, clock: ManualClock):
    """What one has fired, the other neither resolves nor delivers."""
    await store.write_alerts([FIRING], [(alert_change("d1"), ("ops",))])
    await store.silence({"alertname": "*"}, "lunch", NOON + timedelta(hours=1))
    async with Store.opened(url, Home("spark-2", HOME.gateway), clock) as other:
        assert await other.alerts() == ()
        assert await other.told() == ()
        assert await other.next_delivery("ops") is None
        assert await other.silences() == ()
        assert await other.end_unknown_deliveries([]) == 0


async def test_what_waits_is_never_deleted(store: Store, clock: ManualClock, monkeypatch):
    """Old changes go, but for those that somebody has still to be told."""
    monkeypatch.setattr(upkeep, "KEEP_ALERT_CHANGES", 2)
    await tell(store, "waits")
    await tell(store, *(f"d{n}" for n in range(5)), to=())
    assert await store.retention(Limits()) == 3
    assert [one.change.id for one in await store.told()] == ["d4", "d3", "waits"]


async def test_alerts_that_are_long_resolved_go(store: Store, clock: ManualClock):
    """What fires stays, however old."""
    over = replace(FIRING, labels={**LABELS, "group": "gpt"}, phase=Phase.RESOLVED, ends_at=NOON)
    await store.write_alerts([FIRING, over], [])
    clock.advance(upkeep.KEEP_RESOLVED.total_seconds() + 1)
    assert await store.retention(Limits()) == 1
    assert await store.alerts() == (FIRING,)


async def test_a_change_is_written_with_its_deliveries_or_not_at_all(store: Store):
    """A second change of the same id leaves nothing of its transaction behind."""
    await tell(store, "d1", to=("ops", "phone"))
    with pytest.raises(StoreError):
        await store.write_alerts([FIRING], [(alert_change("d1"), ("ops",))])
    assert await store.alerts() == ()
    (told,) = await store.told()
    assert told.change == alert_change("d1")
    assert [(one.notifier, one.state) for one in told.deliveries] == [
        ("ops", DeliveryState.WAITING),
        ("phone", DeliveryState.WAITING),
    ]


async def test_reminders_do_not_crowd_out_what_was_told(store: Store):
    """They are kept and delivered, and not listed."""
    await tell(store, "d1")
    await tell(store, *(f"r{n}" for n in range(5)), reason=Reason.REPEAT)
    assert [one.change.id for one in await store.told(3)] == ["d1"]
    assert (await store.notifiers())["ops"].waiting == 6
