"""What a virtual key changes of the gateway: its own fallbacks, its access, its budget. Pure.

Asking is ``chaos.gateway.client``'s. Null means unknown, never no.
Source: ``LiteLLM_VerificationToken`` and ``_get_hierarchical_router_settings``, LiteLLM 1.106.2.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from chaos.protocol.conversation import Json

LAST_CHARS = 4
"""Of a key, to tell it from others where it has no alias: as many as LiteLLM shows."""

PER_REQUEST = (
    "fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
    "num_retries",
    "timeout",
    "model_group_retry_policy",
    "routing_strategy",
    "enable_tag_filtering",
)
"""What LiteLLM takes from a key's ``router_settings`` in the place of the router's own.

Source: ``route_request``, LiteLLM 1.106.2.
"""


@dataclass(frozen=True, slots=True)
class VirtualKey:
    """A virtual key, without the key.

    Attributes:
        name: Its alias, else how it ends.
        models: What it may ask for, as LiteLLM lists it; None if that is not known.
        aliases: What LiteLLM asks for in the place of a name that this key asks for.
        router_settings: Its own, of those that count for each request; else its team's.
        settings_of: Whose they are.
        unusable: Why the gateway refuses whatever it asks for; None if it does not.
    """

    name: str
    models: frozenset[str] | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    router_settings: Mapping[str, Any] = field(default_factory=dict)
    settings_of: str = "the key"
    unusable: str | None = None

    def may_ask(self, group: str) -> bool:
        """Tell whether it may ask for *group*; unknown is yes, because LiteLLM decides."""
        return self.models is None or group in self.models

    def closed(self, group: str) -> str | None:
        """Say why no drill as this key asks for *group*; None if one can."""
        if not self.may_ask(group):
            return f"the key {self.name} may not ask for it"
        if group in self.aliases:
            return f"the key {self.name} gets {self.aliases[group]} for it"
        return None


def name_of(key: str, alias: object) -> str:
    """Name a key for people: by its alias, else by how it ends."""
    return alias if isinstance(alias, str) and alias.strip() else f"…{key[-LAST_CHARS:]}"


def hash_of(key: str) -> str:
    """Name a key to LiteLLM without saying it: addresses are written to access logs."""
    return sha256(key.encode()).hexdigest()


def team_of(info: Json) -> str | None:
    """Name the team of a key; None if it has none."""
    team = info.get("team_id")
    return team if isinstance(team, str) and team else None


def read_virtual_key(
    key: str, info: Json, team: Json, models: frozenset[str] | None, now: datetime
) -> VirtualKey:
    """Read what the gateway tells of a key.

    Args:
        info: ``info`` of ``/key/info``.
        team: ``team_info`` of ``/team/info``; empty if it has none.
        models: What ``/v1/models`` lists for it.
        now: Aware; LiteLLM's times without a zone are UTC.
    """
    own, teams = _settings(info), _settings(team)
    # LiteLLM takes one of the two, whole: the team's count where the key has none at all.
    settings = own or teams
    aliases = {**_aliases(settings.get("model_group_alias")), **_aliases(info.get("aliases"))}
    return VirtualKey(
        name=name_of(key, info.get("key_alias")),
        models=models,
        aliases=aliases,
        router_settings={
            name: settings[name] for name in PER_REQUEST if settings.get(name) is not None
        },
        settings_of="the key" if own else "its team",
        unusable=_unusable(info, "it", now) or _unusable(team, "its team", now),
    )


def _settings(row: Json) -> Mapping[str, Any]:
    """Read ``router_settings``, which the database may hold as a text of JSON."""
    value = row.get("router_settings")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


def _aliases(value: Any) -> dict[str, str]:
    aliases = value if isinstance(value, Mapping) else {}
    return {
        str(name): str(target.get("model") if isinstance(target, Mapping) else target)
        for name, target in aliases.items()
    }


def _unusable(row: Json, whose: str, now: datetime) -> str | None:
    if row.get("blocked") is True:
        return f"{whose} is blocked"
    expires = _time(row.get("expires"))
    if expires is not None and expires < now:
        return f"{whose} expired on {expires.date()}"
    spend, most = row.get("spend"), row.get("max_budget")
    if isinstance(spend, int | float) and isinstance(most, int | float) and spend >= most:
        return f"{whose} is over its budget: {spend:.2f} of {most:.2f} USD are spent"
    return None


def _time(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
