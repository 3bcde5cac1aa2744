"""The outbox gives each notifier what it has not taken, on both databases."""

from datetime import timedelta

from sqlalchemy import create_engine, event

from supervisor.store.alerts.deliveries import next_delivery
from supervisor.store.alerts.records import NotifierRecord
from supervisor.store.records import Home
from supervisor.store.store import Store
from supervisor.store.tables import metadata
from tests.fakes.alerts import LABELS, alert_change
from tests.fakes.manual_clock import NOON, ManualClock


async def tell(store: Store, *names: str, to=("ops",), **changes) -> None:
    """Write changes that are to be told."""
    await store.write_alerts([], [(alert_change(name, **changes), to) for name in names])


async def test_deliveries_come_in_order_and_each_to_its_notifier(store: Store):
    """The oldest that is due, until it has ended."""
    await tell(store, "d1", "d2")
    await tell(store, "d3", to=("phone",))
    one = await store.next_delivery("ops")
    assert one is not None
    assert one.change.id == "d1"
    await store.end_delivery(one, taken=True, result="ok")
    second = await store.next_delivery("ops")
    assert second is not None
    assert second.change.id == "d2"
    await store.end_delivery(second, taken=False, result="authError", detail="no such token")
    assert await store.next_delivery("ops") is None
    assert await store.next_delivery_at("ops") is None
    phone = await store.next_delivery("phone")
    assert phone is not None
    assert phone.change.id == "d3"


async def test_what_is_postponed_comes_back_at_its_time(store: Store, clock: ManualClock):
    """Others go first meanwhile, and its tries are counted."""
    await tell(store, "d1")
    await tell(store, "d2", labels={**LABELS, "group": "gpt"})
    one = await store.next_delivery("ops")
    assert one is not None
    due = NOON + timedelta(seconds=30)
    await store.postpone(one, result="serverError", detail="status 503", due_at=due)
    second = await store.next_delivery("ops")
    assert second is not None
    assert second.change.id == "d2"
    await store.end_delivery(second, taken=True, result="ok")
    assert await store.next_delivery("ops") is None
    assert await store.next_delivery_at("ops") == due
    clock.advance(30)
    again = await store.next_delivery("ops")
    assert again is not None
    assert (again.change.id, again.tries, again.detail) == ("d1", 1, "status 503")


async def test_what_waits_for_a_notifier_that_is_gone_is_given_up(store: Store):
    """A reload that names it no more leaves nothing that waits for ever."""
    await tell(store, "d1", to=("ops", "old"))
    assert await store.end_unknown_deliveries(["ops"]) == 1
    records = await store.notifiers()
    assert (records["old"].waiting, records["old"].dead) == (0, 1)
    assert records["ops"].waiting == 1


async def test_how_deliveries_go_is_known_by_notifier(store: Store, clock: ManualClock):
    """What waits and since when, what was given up, and what came of the last try."""
    await tell(store, "d1", "d2", "d3")
    for taken, result in ((True, "ok"), (False, "clientError")):
        clock.advance(10)
        one = await store.next_delivery("ops")
        assert one is not None
        await store.end_delivery(one, taken=taken, result=result, detail="x")
    assert await store.notifiers() == {
        "ops": NotifierRecord(
            "ops",
            waiting=1,
            dead=1,
            last_result="clientError",
            last_detail="x",
            last_at=NOON + timedelta(seconds=20),
            last_taken_at=NOON + timedelta(seconds=10),
            waiting_since=NOON,
            tries=0,
        )
    }


async def test_the_end_of_an_alert_does_not_overtake_its_beginning(
    store: Store, clock: ManualClock
):
    """Else a receiver would believe for ever that it fires; other alerts go round meanwhile."""
    other = {**LABELS, "group": "gpt"}
    await tell(store, "fires")
    await tell(store, "ends", firing=False)
    await tell(store, "other", labels=other)
    fires = await store.next_delivery("ops")
    assert fires is not None
    due = NOON + timedelta(seconds=60)
    await store.postpone(fires, result="serverError", detail="", due_at=due)
    second = await store.next_delivery("ops")
    assert second is not None
    assert second.change.id == "other"
    await store.end_delivery(second, taken=True, result="ok")
    assert await store.next_delivery("ops") is None
    clock.advance(60)
    for expected in ("fires", "ends"):
        one = await store.next_delivery("ops")
        assert one is not None
        assert one.change.id == expected
        await store.end_delivery(one, taken=True, result="ok")


def test_what_is_next_is_found_without_going_through_all_that_waits():
    """SQLite's own plan: nothing is sorted, and an alert's earlier changes come from an index."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    asked = []
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2:4]))
    with engine.connect() as connection:
        next_delivery(connection, Home("spark-1", "http://gateway"), "ops", NOON)
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + asked[-1][0], asked[-1][1])
        steps = [row[3] for row in plan]
    engine.dispose()
    assert not [step for step in steps if "TEMP B-TREE" in step or step.startswith("SCAN")]
    assert [step for step in steps if "alert_changes_by_alert" in step and "fingerprint" in step]
