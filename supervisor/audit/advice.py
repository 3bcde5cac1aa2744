"""What to write into LiteLLM's configuration: lines for people, and the fragment that they are.

Pure. A fragment that names what the gateway does not have, such as a place for a group of the
reader's own, is no configuration yet, and is left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from chaos.gateway.topology import Trigger
from supervisor.audit.finding import Audited, yaml_list, yaml_name

OWN_GROUP = "YOUR-LOCAL-GROUP"
"""Stands for a group that the reader has to add."""
ROOMY_GROUP = "A-GROUP-WITH-MORE-ROOM"
"""Stands for one that takes longer requests."""


LISTS = {
    Trigger.GENERAL: "fallbacks",
    Trigger.CONTEXT_WINDOW: "context_window_fallbacks",
    Trigger.CONTENT_POLICY: "content_policy_fallbacks",
}
"""The list of LiteLLM that answers each kind of failure."""


@dataclass(frozen=True, slots=True)
class Advice:
    """Lines to write, and the fragment of configuration that they are; None if not yet one."""

    text: str
    config: Mapping[str, Any] | None = None


def stand_ins(audited: Audited, name: str, without: Iterable[str] = ()) -> list[str]:
    """List the local groups that answer what *name* does: never itself, nor one of *without*.

    Args:
        name: A group, an alias or a wildcard's pattern.
    """
    topology = audited.topology
    real = topology.aliases.get(name, audited.wildcards.get(name, name))
    asked = topology.find(real)
    family = asked.family if asked is not None else "chat"
    taken = {name, real, *without}
    return [
        group.name
        for group in audited.groups.values()
        if group.name not in taken and group.family == family and audited.costs_nothing(group.name)
    ]


def stand_in(audited: Audited, name: str, without: Iterable[str] = ()) -> str:
    """Name the first of the stand-ins, or leave a place for one."""
    return next(iter(stand_ins(audited, name, without)), OWN_GROUP)


def chain_advice(
    audited: Audited, group: str, hops: Iterable[str], setting: str = "fallbacks"
) -> Advice:
    """Give *group* the chain *hops* in the list *setting*.

    LiteLLM reads only the first entry of a group, so that a second one would change nothing; and
    a second list, in the other section, would hide the first or be hidden by it.
    """
    chain = list(hops)
    entry = f"- {yaml_name(group)}: {yaml_list(chain)}"
    entries = getattr(audited.topology.settings, setting)
    section = section_of(audited, setting)
    if any(group in one for one in entries):
        text = f"Replace the entry in {setting}; LiteLLM reads only the first of a group:\n{entry}"
    elif entries or setting in audited.section(section):
        text = f"Add to the list of {setting} that LiteLLM's configuration has:\n{entry}"
    else:
        text = f"Write into LiteLLM's configuration:\n{section}:\n  {setting}:\n    {entry}"
    config = {section: {setting: [{group: chain}]}} if are_there(audited, chain) else None
    return Advice(text, config)


def are_there(audited: Audited, names: Iterable[str]) -> bool:
    """Tell whether the gateway has all of *names*; a wildcard takes a placeholder for a model."""
    return all(name not in (OWN_GROUP, ROOMY_GROUP) and audited.exists(name) for name in names)


def section_of(audited: Audited, setting: str) -> str:
    """Name the section that *setting* stands in, as far as the file was given."""
    written = setting in audited.section("litellm_settings")
    hidden = audited.section("router_settings").get(setting)
    return "litellm_settings" if written and not hidden else "router_settings"


def deployment_config(group: str, **parts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write *parts*, such as ``litellm_params``, into every deployment of *group*."""
    return {"model_list": [{"model_name": group, **parts}]}


def setting_advice(section: str, key: str, value: Any) -> Advice:
    """Set one value of a section."""
    shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
    text = f"Write into LiteLLM's configuration:\n{section}:\n  {key}: {shown}"
    return Advice(text, {section: {key: value}})
