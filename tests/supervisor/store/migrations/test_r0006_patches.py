"""The sixth migration."""

from supervisor.store.migrations import r0006_patches


def test_it_follows_the_fifth():
    """Migrations form one line; what it makes is compared with the tables elsewhere."""
    assert (r0006_patches.revision, r0006_patches.down_revision) == ("0006", "0005")
