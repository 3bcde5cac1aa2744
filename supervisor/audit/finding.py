"""The contract of an audit: what is wrong, found without sending a model request."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from chaos.gateway.topology import Deployment, ModelGroup, Topology
from chaos.naming import MOST_NAMED, some_of
from supervisor.engine.facts import EngineFacts

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing that is wrong.

    Attributes:
        code: As the contract lists it; stable.
        subject: The group, deployment or setting it is about.
        message: One plain sentence with what was seen.
        remedy: What to do, with the lines to write where there are any.
        groups: Every group that it is about, where it is about several.
        config: The lines of the remedy as a fragment of LiteLLM's configuration, where they are
            one. Sections are merged; an entry of a list of fallbacks takes the place of its
            group's; a row of ``model_list`` changes every deployment of its group.
        cause: What findings of one code share that are one; empty: only equal ones are.
    """

    code: str
    severity: Severity
    subject: str
    message: str
    remedy: str
    groups: tuple[str, ...] = ()
    config: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    cause: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Audited:
    """What audits look at; pure, fetched beforehand by ``supervisor.audit.facts``.

    Attributes:
        witness_urls: What a redirect would have to be allowed to dial, lane by lane.
        wildcards: Model groups that are patterns (``openai/*``), each with the one group of the
            topology that stands for it: LiteLLM lists a wildcard as every model that it knows.
        config: LiteLLM's own configuration file, parsed; None if none was given.
        engines: What each local engine said, one entry per group and address.
        named: Groups that the user names as engines of this house.
        open_groups: Groups that may be redirected to any address at all.
        clients: Clients of the registry that ask a group, as the settings name them.
    """

    topology: Topology
    witness_urls: tuple[str, ...] = ()
    wildcards: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] | None = field(default=None, repr=False)  # may hold keys
    engines: tuple[EngineFacts, ...] = ()
    named: frozenset[str] = frozenset()
    open_groups: frozenset[str] = frozenset()
    clients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Every wildcard group that is known."""
        return tuple(dict.fromkeys((*self.topology.wildcards, *self.wildcards)))

    @property
    def groups(self) -> Mapping[str, ModelGroup]:
        """The groups that are called by their own names, which wildcards are not."""
        hidden = {*self.topology.wildcards, *self.wildcards.values()}
        return {n: group for n, group in self.topology.groups.items() if n not in hidden}

    @property
    def targets(self) -> frozenset[str]:
        """Groups that some chain falls back to, also by an alias."""
        named = {hop for c in self.topology.chains for hop in (*c.fallbacks, *c.missing)}
        real = {group for alias, group in self.topology.aliases.items() if alias in named}
        return frozenset(named | real)

    def exists(self, name: str) -> bool:
        """Tell whether LiteLLM would find something to call under *name*.

        Source: LiteLLM 1.106.2, run: groups, aliases (hidden ones too), wildcards, a deployment's
        own model name, a deployment's id.
        """
        topology = self.topology
        return (
            name in topology.groups
            or name in topology.aliases
            or any(fnmatchcase(name, pattern) for pattern in self.patterns)
            or any(
                name in (deployment.id, deployment.litellm_model)
                for group in topology.groups.values()
                for deployment in group.deployments
            )
        )

    def costs_nothing(self, name: str) -> bool:
        """Tell whether every deployment of a group is of this house; unknown groups are not."""
        group = self.topology.groups.get(name)
        if group is None:
            return False
        return name in self.named or all(is_own(deployment) for deployment in group.deployments)

    def ends_free(self, name: str) -> bool:
        """Tell whether the last deployments that LiteLLM asks of a group cost nothing."""
        group = self.topology.groups.get(name)
        orders = [d.order for d in group.deployments if d.order is not None] if group else []
        if group is None or not group.ordered or name in self.named:
            return self.costs_nothing(name)
        return all(is_own(d) for d in group.deployments if d.order == max(orders))

    def room(self, group: ModelGroup) -> int | None:
        """Tell how many tokens the smallest deployment of *group* takes; None if nobody knows."""
        told = [
            length
            for facts in self.engines
            if facts.group == group.name
            for served, length in facts.max_model_len.items()
            if served in facts.asked_for
        ]
        claimed = [d.max_input_tokens for d in group.deployments if d.max_input_tokens is not None]
        return min(told or claimed, default=None)

    def section(self, name: str) -> Mapping[str, Any]:
        """Get a section of LiteLLM's configuration file; empty where there is none."""
        found = (self.config or {}).get(name)
        return found if isinstance(found, Mapping) else {}


def is_own(deployment: Deployment) -> bool:
    """Tell whether a deployment is local and free: one with a price passes requests on."""
    return deployment.local and not (
        deployment.input_cost_per_token or deployment.output_cost_per_token
    )


def is_engine(deployment: Deployment) -> bool:
    """Tell whether a deployment is an inference server that can be asked about itself."""
    return is_own(deployment) and deployment.dialect in (None, "vllm", "openai")


Audit = Callable[[Audited], Iterable[AuditFinding]]


def quoted(names: Iterable[str]) -> str:
    """List *names* for a sentence; of many the first, and how many more there are."""
    return some_of(map(repr, names), MOST_NAMED)


def yaml_list(names: Sequence[str]) -> str:
    """Write *names* as a YAML list on one line; JSON's quotes are YAML's too."""
    return "[" + ", ".join(json.dumps(name, ensure_ascii=False) for name in names) + "]"


def yaml_name(name: str) -> str:
    """Write *name* as YAML takes it, whatever is in it."""
    return json.dumps(name, ensure_ascii=False)


def yaml_value(text: str) -> str:
    """Write *text* as YAML takes it, without quotes where it needs none."""
    plain = re.fullmatch(r"[A-Za-z][\w./@-]*(:[\w./@-]+)*", text, re.ASCII)
    return text if plain and text.lower() not in _WORDS else yaml_name(text)


_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""What YAML takes for something else than a text."""
