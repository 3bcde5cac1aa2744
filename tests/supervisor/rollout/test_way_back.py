"""The way back, in commands that need nothing of ours."""

import shlex

import pytest

from supervisor.rollout.way_back import restart_text, way_back_of, written
from tests.fakes.rollouts import CONTAINER_ID, OLD_ID, container

SHORT = CONTAINER_ID[:12]


def commands(text: str) -> list[list[str]]:
    """The commands of a text, word by word, as a shell reads them."""
    lines = [line for line in text.splitlines() if line.startswith("    docker ")]
    return [shlex.split(line, comments=True) for line in lines]


def test_what_brings_the_old_one_back_is_taken_down():
    """Which container it is, and how it restarts by itself."""
    policy = {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}}
    assert way_back_of(container(host=policy), "vllm", "20260301-vllm") == {
        "rollout": "20260301-vllm",
        "container": "vllm",
        "old_id": CONTAINER_ID,
        "old_image": OLD_ID,
        "old_started_at": "2026-03-01T09:00:00.123456789Z",
        "restart_policy": "on-failure",
        "restart_most": 3,
    }


def test_what_docker_does_not_tell_is_empty():
    """A container without a policy does not restart."""
    taken = way_back_of({"HostConfig": None, "State": None}, "vllm", "r")
    assert (taken["old_id"], taken["old_image"], taken["old_started_at"]) == ("", "", "")
    assert (taken["restart_policy"], taken["restart_most"]) == ("no", 0)


@pytest.mark.parametrize(
    ("name", "most", "text"),
    [
        ("unless-stopped", 0, "unless-stopped"),
        ("no", 0, "no"),
        ("on-failure", 0, "on-failure"),
        ("on-failure", 3, "on-failure:3"),
        ("always", 3, "always"),
    ],
)
def test_a_policy_is_written_as_docker_update_takes_it(name, most, text):
    """Only on-failure has a number."""
    assert restart_text({"restart_policy": name, "restart_most": most}) == text


def test_the_commands_bring_back_the_old_container_by_its_id():
    """In this order, whatever has its name."""
    text = written(way_back_of(container(), "vllm", "20260301-vllm"))
    assert commands(text) == [
        ["docker", "rm", "vllm-next"],
        ["docker", "stop", "vllm"],
        ["docker", "rename", "vllm", "vllm-failed"],
        ["docker", "rename", SHORT, "vllm"],
        ["docker", "update", "--restart=unless-stopped", SHORT],
        ["docker", "start", SHORT],
    ]
    assert "before rollout 20260301-vllm, by hand" in text
    assert f"(image {OLD_ID})" in text


def test_the_old_container_is_never_removed():
    """What is removed is the next one alone, which was never started."""
    removed = [
        one for one in commands(written(way_back_of(container(), "vllm", "r"))) if "rm" in one
    ]
    assert removed == [["docker", "rm", "vllm-next"]]


def test_no_secret_is_written_down():
    """The container keeps its environment; the text need not."""
    secret = "sk-" + "1a" * 12
    kept = container(config={"Env": [f"HF_TOKEN={secret}"]}, words=f"/m --api-key {secret}")
    taken = way_back_of(kept, "vllm", "r")
    assert secret not in f"{taken}{written(taken)}"
