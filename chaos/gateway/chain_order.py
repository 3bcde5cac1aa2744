"""The order in which LiteLLM walks its fallbacks when every attempt fails. Pure.

Depth first; a hop without a chain of its own resumes the chain of the group that was asked
for; every attempted target counts towards ``max_fallbacks``, and a level is entered only while
the count is below it; nothing is tried twice by name.
Source: ``router_utils/fallback_event_handlers.py`` of LiteLLM 1.106.2, and 55 configurations run
through its proxy (``tests/data/chain_table.yaml``).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Fallbacks = Sequence[Any] | None
"""Entries ``{group: [target, …]}``, as the gateway tells them: not all need be such."""


def attempt_order(
    group: str,
    fallbacks: Fallbacks,
    *,
    max_fallbacks: int = 5,
    fallbacks_for: Callable[[str], Fallbacks] | None = None,
) -> tuple[str, ...]:
    """List the groups in the order in which they are attempted, *group* first.

    Args:
        fallbacks: Entries ``{group: [target, …]}`` as LiteLLM has loaded them; its
            ``default_fallbacks`` are the last entry, under ``*``.
        fallbacks_for: The list that answers a hop's failure, where hops fail in different
            classes; by default *fallbacks* for every hop.
    """
    order, seen = [group], set[str]()

    def failed(hop: str, depth: int) -> None:
        entries = fallbacks_for(hop) if fallbacks_for else fallbacks
        chain = chain_of(entries, [hop] if hop == group else [hop, group])
        if not chain or depth >= max_fallbacks:
            return
        seen.add(hop)
        for target in chain:
            if target == hop or _key(target) in seen:
                continue
            seen.add(_key(target))
            depth += 1  # siblings count too
            name = target if isinstance(target, str) else str(target["model"])
            order.append(name)
            failed(name, depth)

    failed(group, 0)
    return tuple(order)


def chain_of(fallbacks: Fallbacks, groups: Sequence[str]) -> Sequence[Any] | None:
    """Find the chain of the first of *groups* that has one, else the one under ``*``.

    The first exact key wins, the last ``*`` wins, and ``provider/name`` is found as ``name``.
    """
    generic = None
    for group in groups:
        stripped = None
        for entry in fallbacks or ():
            # LiteLLM itself falls over an empty entry, in the middle of a request.
            key = next(iter(entry), None) if isinstance(entry, Mapping) else None
            if key is None:
                continue
            targets = list(entry[key] or ())
            if key == group:
                return targets
            if key == "*":
                generic = targets
            elif "/" in group and group.split("/", 1)[-1] == key:
                stripped = targets
        if stripped is not None:
            return stripped
    return generic


def _key(target: Any) -> str:
    if isinstance(target, str):
        return target
    return str(target["model"]) if list(target) == ["model"] else json.dumps(target, sort_keys=True)
