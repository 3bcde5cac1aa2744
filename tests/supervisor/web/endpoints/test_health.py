"""Health and readiness are open, and reveal no more than that."""

import pytest

from tests.fakes.snapshots import condition, snapshot
from tests.fakes.world import FullDisk

STRANGER = {"Via": "1.1 proxy", "Host": "evil.example", "Authorization": "Bearer wrong"}


async def test_health_is_that_it_answers(api):
    """A daemon that can read nothing still lives."""
    api.world.error = FullDisk()
    answer = await api.get("/healthz")
    assert (answer.status, answer.body) == (200, b"ok\n")
    assert api.world.calls == []


async def test_a_daemon_that_can_do_its_job_is_ready(api):
    """The answer is plain text."""
    answer = await api.get("/readyz")
    assert (answer.status, answer.body) == (200, b"ready\n")
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_both_are_open_to_everybody(api, path):
    """Neither a foreign machine, nor a foreign name, nor a wrong token is refused."""
    assert (await api.get(path, **STRANGER)).status == 200


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"store_trouble": "no space in /secret"}, "the store"),
        ({"gateway_trouble": "10.0.0.7: secret"}, "the gateway"),
        ({"stopping": True}, "the daemon stops"),
        ({"store_trouble": "secret", "gateway_trouble": "secret"}, "the store, the gateway"),
    ],
)
async def test_a_daemon_that_is_not_ready_names_the_part_only(api, changes, why):
    """Which part is in trouble is public, why it is so is not."""
    api.world.snapshot = snapshot(condition=condition(**changes))
    answer = await api.get("/readyz", **STRANGER)
    assert (answer.status, answer.json["why"]) == (503, why)
    assert b"secret" not in answer.body


async def test_a_refused_reload_does_not_make_it_unready(api):
    """The daemon still does its job with the old settings."""
    api.world.snapshot = snapshot(condition=condition(reload_trouble="web.listen cannot change"))
    assert (await api.get("/readyz")).status == 200
