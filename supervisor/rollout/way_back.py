"""The way back, in words and commands: it must not need Understudy, nor its store."""

import shlex
from collections.abc import Mapping
from typing import Any

from supervisor.rollout.facts import NEXT

FILE = "WAY-BACK.txt"
OLD = "-old"
"""What the old container's name ends with once another one has taken its place."""


def way_back_of(container: Mapping[str, Any], name: str, rollout: str) -> dict[str, Any]:
    """Take down what has to be known to bring the old engine back.

    The container itself is kept, with everything that it has; this says which one it is and how
    it restarts by itself, which is parked while another one serves.
    """
    host = container.get("HostConfig") or {}
    policy = host.get("RestartPolicy") or {}
    return {
        "rollout": rollout,
        "container": name,
        "old_id": str(container.get("Id") or ""),
        "old_image": str(container.get("Image") or ""),
        "old_started_at": str((container.get("State") or {}).get("StartedAt") or ""),
        "restart_policy": str(policy.get("Name") or "no"),
        "restart_most": int(policy.get("MaximumRetryCount") or 0),
    }


def restart_text(way_back: Mapping[str, Any]) -> str:
    """Write a restart policy as ``docker update --restart`` takes it."""
    name, most = way_back["restart_policy"], way_back["restart_most"]
    return f"{name}:{most}" if name == "on-failure" and most else str(name)


def written(way_back: Mapping[str, Any]) -> str:
    """Write it for people, as commands for a shell."""
    name = shlex.quote(str(way_back["container"]))
    old = str(way_back["old_id"])[:12]
    return f"""\
How to get back to the engine that served before rollout {way_back["rollout"]}, by hand.

The old container is {old} (image {way_back["old_image"]}). It is never removed by Understudy,
and never made anew: stopped and renamed is all that a swap does to it.

If nothing was swapped yet, only the next container is to go; it was never started:

    docker rm {name}{NEXT}

If a swap has begun, these bring the old one back, whatever stands in between:

    docker stop {name}                      # unless it is {old}
    docker rename {name} {name}-failed      # unless it is {old}
    docker rename {old} {name}              # unless it is called so
    docker update --restart={restart_text(way_back)} {old}
    docker start {old}

Which one is which: docker ps --all --no-trunc --filter name={name}
"""
