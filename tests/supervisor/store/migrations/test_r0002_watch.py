"""The second migration adds what is watched."""

from supervisor.store.migrations import r0002_watch


def test_it_follows_the_first():
    """It is run on a store as the first Understudy made it."""
    assert (r0002_watch.revision, r0002_watch.down_revision) == ("0002", "0001")
