"""The fifth migration."""

from supervisor.store.migrations import r0005_rollouts


def test_it_follows_the_fourth():
    """Migrations form one line; what it makes is compared with the tables elsewhere."""
    assert (r0005_rollouts.revision, r0005_rollouts.down_revision) == ("0005", "0004")
