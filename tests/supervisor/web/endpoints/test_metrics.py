"""Prometheus scrapes the newest snapshot."""

from tests.fakes.snapshots import full_snapshot


async def test_the_page_is_the_snapshot(api):
    """In Prometheus' own format, by default."""
    api.world.snapshot = full_snapshot()
    answer = await api.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert b"understudy_halted 1.0\n" in answer.body
    assert api.world.calls == [("status",)]


async def test_openmetrics_is_given_where_it_is_asked_for(api):
    """As Prometheus asks since version 2.5."""
    answer = await api.get("/metrics", Accept="application/openmetrics-text;version=1.0.0")
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.body.endswith(b"# EOF\n")
