"""Campaigns, on both databases."""

from sqlalchemy import URL, create_engine, select

from supervisor.store.records import DrillFilter
from supervisor.store.store import Store
from supervisor.store.tables import campaigns
from tests.fakes.ledgers import entry
from tests.fakes.manual_clock import NOON, ManualClock


def rows(url: URL):
    """Read what is written of campaigns."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.execute(select(campaigns).order_by(campaigns.c.id)).all()
    engine.dispose()
    return found


async def test_a_campaign_has_its_drills(store: Store, url: URL, clock: ManualClock):
    """And an end."""
    await store.begin_campaign("c1", {"groups": ["claude"]}, 2)
    await store.add_drill(entry("d1", campaign="c1"))
    await store.add_drill(entry("d2"))
    clock.advance(60)
    await store.end_campaign("c1", stopped=False)
    (row,) = rows(url)
    assert (row.daemon, row.asked_for, row.planned) == ("spark-1", {"groups": ["claude"]}, 2)
    assert (row.started_at, row.ended_at, row.stopped) == (NOON, clock.now(), False)
    found = await store.drills(DrillFilter(campaign="c1"))
    assert [drill.row.id for drill in found] == ["d1"]


async def test_what_a_killed_daemon_left_running_has_ended(store: Store, url: URL):
    """Its next start says so, once."""
    await store.begin_campaign("c1", {}, 2)
    assert await store.end_campaigns() == 1
    assert await store.end_campaigns() == 0
    assert rows(url)[0].stopped
