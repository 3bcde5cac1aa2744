"""Status and coverage are read from one snapshot."""

import pytest

from tests.fakes.snapshots import FAILED, PROVEN, UNPROVEN


async def test_the_status_is_that_of_the_snapshot(api):
    """It is asked for once, and the single paths are left out."""
    answer = await api.get("/api/v1/status")
    assert answer.status == 200
    assert (answer.json["daemon"], answer.json["version"]) == ("spark-1", "1.2.3")
    assert "paths" not in answer.json
    assert api.world.calls == [("status",)]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("", [PROVEN, FAILED, UNPROVEN]),
        ("?group=claude", [PROVEN, FAILED]),
        ("?hop=local", [UNPROVEN]),
        ("?state=failed", [FAILED]),
        ("?group=claude&state=proven&hop=gemma", [PROVEN]),
        ("?group=gpt&state=failed", []),
        ("?group=claud", []),
        ("?group=", []),
    ],
)
async def test_paths_are_selected_by_group_hop_and_state(api, query, paths):
    """Every condition narrows by the whole name; the ratio stays that of all paths."""
    answer = await api.get(f"/api/v1/coverage{query}")
    assert [path["path"] for path in answer.json["paths"]] == list(map(str, paths))
    assert answer.json["ratio"] == pytest.approx(1 / 3)
    assert api.world.calls == [("status",)]


async def test_a_state_that_does_not_exist_is_refused(api):
    """A misspelt state is an error, not an empty list."""
    answer = await api.get("/api/v1/coverage?state=broken")
    assert answer.status == 400
    assert "never_proven" in answer.json["why"]


async def test_the_topology_is_that_of_the_last_look(api):
    """Groups with their deployments, and chains; 503 before the first look."""
    answer = await api.get("/api/v1/topology")
    assert [group["name"] for group in answer.json["groups"]] == ["claude", "local"]
    assert answer.json["chains"][0]["hops"] == ["claude", "local"]
    api.world.known = None
    assert (await api.get("/api/v1/topology")).status == 503
