"""What the gateway says it would do: groups, deployments, chains, settings.

Pure: built from the gateway's own answers by ``chaos.gateway.client``, changed by nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import urlsplit

from chaos.gateway.virtual_key import VirtualKey


class Trigger(StrEnum):
    """The kind of failure for which a chain is configured."""

    GENERAL = "general"
    CONTEXT_WINDOW = "context_window"
    CONTENT_POLICY = "content_policy"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One upstream of a model group. None means unknown, never no.

    Attributes:
        id: LiteLLM's ``model_info.id``.
        litellm_model: ``litellm_params.model``, such as ``hosted_vllm/gemma``.
        provider: LiteLLM's provider prefix, such as ``hosted_vllm``.
        dialect: Our dialect's name; None if we know none for the provider.
        upstream_model: The model's name as it crosses the wire.
        base_url: Where the requests really go, as we reach it; None if it cannot be told.
        local: It costs nothing, and is asked for real (``chaos.gateway.locality``).
        resolves: This machine has an address for its host, as far as it was looked up.
        redirectable: A request can take it elsewhere; not so where ``base_url`` is set, which
            LiteLLM prefers to the request's ``api_base``.
        redirect_permission: The pattern of ``configurable_clientside_auth_params`` for
            ``api_base``; None if a request may not redirect it.
        mode: LiteLLM's ``chat``, ``embedding``, …
        max_retries: Of the client library, below LiteLLM's own ``num_retries``.
        own_tools: Names of tools that it adds to every request.
        vector_size: Numbers in each of its embeddings.
        thinks: Its own parameters make the model think.
        supported_params: OpenAI's parameters that LiteLLM says it takes.
        drop_params: LiteLLM leaves out what it does not take; None: as the gateway's settings say.
        dropped_params: Parameters that are left out for it in any case.
        allowed_params: Parameters that are sent to it whatever LiteLLM knows of it.
    """

    id: str
    group: str
    litellm_model: str
    provider: str
    dialect: str | None
    upstream_model: str
    base_url: str | None = None
    local: bool = False
    resolves: bool = True
    redirectable: bool = True
    redirect_permission: str | None = None
    mode: str | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    input_cost_per_token: float | None = None
    output_cost_per_token: float | None = None
    supports_tools: bool | None = None
    supports_reasoning: bool | None = None
    accepts_temperature: bool | None = None
    accepts_prefill: bool | None = None
    timeout_s: float | None = None
    order: int | None = None
    num_retries: int | None = None
    max_retries: int | None = None
    own_tools: frozenset[str] = frozenset()
    vector_size: int | None = None
    thinks: bool = False
    supported_params: tuple[str, ...] | None = None
    drop_params: bool | None = None
    dropped_params: tuple[str, ...] = ()
    allowed_params: tuple[str, ...] = ()


CHAT_MODES = frozenset({"chat", "responses", "completion"})
"""Modes of LiteLLM whose models can stand in for each other."""


DRILLED_FAMILIES = frozenset({"chat", "embedding"})
"""What drills ask for. Who listens, speaks, paints, ranks or moderates would refuse a chat, and
that would say nothing about its fallbacks."""


def mode_family(mode: str | None) -> str:
    """Name the kind of request that a model of *mode* answers; without a mode it is chat."""
    return "chat" if mode is None or mode in CHAT_MODES else mode


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """What clients ask for, and the deployments behind it (never empty, but for wildcards)."""

    name: str
    deployments: tuple[Deployment, ...]

    @property
    def local(self) -> bool:
        """Every deployment is local."""
        return all(deployment.local for deployment in self.deployments)

    @property
    def vector_size(self) -> int | None:
        """Numbers in each of its embeddings; None if unknown, or if its deployments differ."""
        sizes = {deployment.vector_size for deployment in self.deployments}
        return sizes.pop() if len(sizes) == 1 else None

    @property
    def mode(self) -> str | None:
        """The mode that its deployments agree on; None if none names one, or if they differ."""
        modes = {d.mode for d in self.deployments if d.mode is not None}
        return modes.pop() if len(modes) == 1 else None

    @property
    def family(self) -> str:
        """The kind of requests that it answers: ``chat``, or another mode of LiteLLM."""
        return mode_family(self.mode)

    @property
    def drilled(self) -> bool:
        """There is a kind of drill for its requests."""
        return self.family in DRILLED_FAMILIES

    @property
    def ordered(self) -> bool:
        """It is a chain of its own: some deployments are tried only after others."""
        return len({d.order for d in self.deployments if d.order is not None}) > 1

    @property
    def embeds(self) -> bool:
        """It makes embeddings rather than answers."""
        return any(deployment.mode == "embedding" for deployment in self.deployments)


@dataclass(frozen=True, slots=True)
class Chain:
    """The hops of one group for one trigger, in the order in which they should be tried.

    Attributes:
        hops: Model groups; the first is the group itself, so it is never empty.
        missing: Targets that the configuration names and the gateway does not have.
        cut: Hops that LiteLLM's ``max_fallbacks`` keeps it from ever reaching.
        named: The hops as the configuration names them, in the order in which it wants them
            tried, with those missing and cut; empty where nothing is missing or cut.
    """

    group: str
    trigger: Trigger
    hops: tuple[str, ...]
    missing: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def meant(self) -> tuple[str, ...]:
        """Every hop that should be tried: what a drill holds the gateway to."""
        return self.named or self.hops

    @property
    def fallbacks(self) -> tuple[str, ...]:
        """The hops after the primary."""
        return self.hops[1:]


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """How the gateway routes, as it says itself. None means that it does not say.

    Attributes:
        target_parameters: Names of the parameters that a chain sets anew, by its target.
    """

    num_retries: int | None = None
    timeout_s: float | None = None
    allowed_fails: int | None = None
    cooldown_time_s: float | None = None
    max_fallbacks: int = 5
    retry_policy: Mapping[str, int] = field(default_factory=dict)
    group_retry_policies: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    fallbacks: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    context_window_fallbacks: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    content_policy_fallbacks: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    default_fallbacks: tuple[str, ...] = ()
    target_parameters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    enable_tag_filtering: bool | None = None
    enable_weighted_failover: bool = False
    caches: bool | None = None


@dataclass(frozen=True, slots=True)
class Topology:
    """The gateway as it runs now.

    Attributes:
        settings: What the running router has loaded.
        file_settings: What its configuration file says; differs after an edit not loaded.
        aliases: Alias to model group.
        hidden_aliases: Those of them that LiteLLM lists nowhere, and lets no request redirect.
        wildcards: Model groups that are patterns (``gpt-*``), and no model stands for them.
        standing: Patterns (``openai/*``), each with the model group that stands for it.
        other_names: Groups by the other names under which clients may ask for them: aliases (hidden
            ones too), and every model that LiteLLM lists for a wildcard.
        caller: The virtual key whose view this is; None where that changes nothing.
    """

    litellm_version: str
    groups: Mapping[str, ModelGroup]
    chains: tuple[Chain, ...]
    settings: RouterSettings = field(default_factory=RouterSettings)
    file_settings: RouterSettings | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    hidden_aliases: frozenset[str] = frozenset()
    wildcards: tuple[str, ...] = ()
    standing: Mapping[str, str] = field(default_factory=dict)
    other_names: Mapping[str, ModelGroup] = field(default_factory=dict)
    caller: VirtualKey | None = None
    _chains: Mapping[tuple[str, Trigger], Chain] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # The first of a group counts. An index, because gateways have thousands of groups.
        index = {(chain.group, chain.trigger): chain for chain in reversed(self.chains)}
        object.__setattr__(self, "_chains", index)

    def find(self, name: str) -> ModelGroup | None:
        """Find what clients get who ask for *name*; None if there is nothing."""
        name = self.called(name)
        return self.groups.get(name) or self.other_names.get(name)

    def called(self, name: str) -> str:
        """Say what a client asks for who is meant by *name*: for a pattern, its model."""
        return self.standing.get(name, name)

    def closed(self, group: str) -> str | None:
        """Say why the caller cannot ask for *group*; None if it can."""
        return self.caller.closed(group) if self.caller is not None else None

    def chain(self, group: str, trigger: Trigger = Trigger.GENERAL) -> Chain:
        """Tell the chain of *group* for *trigger*; a chain of the group alone if it has none."""
        return self._chains.get((group, trigger)) or Chain(group, trigger, (group,))

    def reached_at(self, engines: Mapping[str, str]) -> "Topology":
        """Put the addresses at which we reach local engines in the place of LiteLLM's own.

        Every deployment of an engine moves with it. A group whose deployments are at several
        addresses stays as it is.

        Args:
            engines: URLs by model group, as the user names them.
        """
        moved: dict[str, str] = {}
        for name, url in engines.items():
            group = self.find(name)
            bases = {d.base_url for d in group.deployments if d.local} if group else set()
            if group and group.local and len(bases) == 1:
                base = bases.pop()
                moved[urlsplit(base).netloc if base else name] = url
        groups, other = (
            {name: _reached_at(moved, group) for name, group in found.items()}
            for found in (self.groups, self.other_names)
        )
        return replace(self, groups=groups, other_names=other)


def _reached_at(moved: Mapping[str, str], group: ModelGroup) -> ModelGroup:
    def real(deployment: Deployment) -> Deployment:
        base = deployment.base_url
        url = moved.get(urlsplit(base).netloc if base else group.name)
        if url is None:
            return deployment
        path = urlsplit(base).path.rstrip("/") if base else _ENGINE_PATH
        url = url if url.endswith(path) else url + path
        return replace(deployment, base_url=url, resolves=True)

    return replace(group, deployments=tuple(map(real, group.deployments)))


_ENGINE_PATH = "/v1"
"""Where an engine answers of which LiteLLM names no address."""
