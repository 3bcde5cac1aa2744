"""The fourth migration."""

from supervisor.store.migrations import r0004_benchmarks


def test_it_follows_the_third():
    """Migrations form one line; what it makes is compared with the tables elsewhere."""
    assert (r0004_benchmarks.revision, r0004_benchmarks.down_revision) == ("0004", "0003")
