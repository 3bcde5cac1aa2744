"""The third migration adds what is told."""

from supervisor.store.migrations import r0003_alerts


def test_it_follows_the_second():
    """It is run on a store of a daemon that only watched."""
    assert (r0003_alerts.revision, r0003_alerts.down_revision) == ("0003", "0002")
