"""Redirect: one request of the running gateway carries ``api_base`` and goes to the witness.

It drills the gateway that is running, with the configuration that it really loaded, and nothing
sits in the path of users. Every limit here was measured on LiteLLM 1.106.2.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import combinations
from typing import Any

import aiohttp
from packaging.version import InvalidVersion, Version

from chaos.drill.canary_proof import doubt
from chaos.drill.forwardable import address_objection
from chaos.drill.injector import Injector, Objection, Route, Setting
from chaos.drill.leasing import keyless, leased_hops, other_upstreams, upstream_of
from chaos.errors import UsageError
from chaos.faults.kinds import FAULTS
from chaos.gateway.client import Gateway
from chaos.gateway.redirect_permission import LANES, permits
from chaos.gateway.topology import Deployment, Topology
from chaos.judge.check import Kind
from chaos.judge.observation import Observation
from chaos.protocol.conversation import Ask, Turn
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.surfaces import SURFACES
from chaos.scenario.plan import DrillPlan
from chaos.scenario.scenario import Scenario
from chaos.witness.lease import Action, LeasedHop, Upstream
from chaos.witness.server import Witness
from chaos.witness.wire_record import AttemptOutcome, WireRecord

A_TWIN = "Drill a twin: --injector twin --litellm-config FILE"

OLDEST = Version("1.103.0")
"""Below it a redirected deployment joins the model group for every caller, for good."""

GRACE_S = 30.0
"""A lease outlives its drill's deadline by this, in case ending it is never reached."""

_Way = tuple[tuple[str, ...], str | None, str]
"""Chain, expected hop and surface: each way has a canary of its own."""

MOST_TRIES = 4
"""How often a group is asked to put each of its faulted deployments right."""


class Redirect(Injector):
    """Drills the running gateway.

    Args:
        real_keys: The user allows requests with the gateway's own keys.
        has_metrics: The gateway publishes Prometheus metrics, whose per-deployment state has
            to be put right after a fault.
    """

    name = "redirect"
    touches_others = True

    def __init__(
        self,
        witness: Witness,
        topology: Topology,
        *,
        gateway: Gateway,
        real_keys: bool = False,
        has_metrics: bool = False,
    ) -> None:
        self.gateway = gateway
        self.topology = topology
        self._witness = witness
        self._url = gateway.url
        self._key = gateway.key
        self._session = gateway.session
        self._real_keys = real_keys
        self._has_metrics = has_metrics
        self._canary = f"understudy-canary-{secrets.token_urlsafe(12)}"
        self._doubts: dict[_Way, str | None] = {}
        self._peers: dict[_Way, frozenset[str]] = {}

    @classmethod
    def lacks(cls, setting: Setting) -> Objection | None:
        """Object where no gateway runs."""
        if setting.gateway is not None:
            return None
        return Objection(
            "redirect needs a running gateway",
            "Give --gateway http://127.0.0.1:4000 --key-env NAME.",
        )

    @classmethod
    @asynccontextmanager
    async def opened(cls, setting: Setting) -> AsyncIterator["Redirect"]:
        """Drill the running gateway."""
        gateway, topology, objection = setting.gateway, setting.topology, cls.lacks(setting)
        if gateway is None or topology is None:
            assert objection is not None  # noqa: S101 -- without a gateway there is one
            raise UsageError(objection.reason, remedy=objection.remedy)
        yield cls(
            setting.witness,
            topology,
            gateway=gateway,
            real_keys=setting.real_keys,
            has_metrics=await gateway.has_metrics(),
        )

    def objection(self, scenario: Scenario) -> Objection | None:
        """Object to old versions, missing permission, and hops that look alike on the wire."""
        return (
            version_objection(self.topology.litellm_version)
            or self._hidden_objection(scenario.group)
            or self._caller_objection()
            or self._permission_objection(scenario.group)
            or self._redirectable_objection(scenario)
            or _fault_objection(scenario)
            or self._identity_objection(scenario)
        )

    def _hidden_objection(self, group: str) -> Objection | None:
        """Object to hidden aliases: LiteLLM takes them for groups that permit nothing.

        Source: ``Router.get_model_group_info``, LiteLLM 1.106.2, and run: status 500.
        """
        if group not in self.topology.hidden_aliases:
            return None
        return Objection(
            f"{group!r} is a hidden alias, which LiteLLM does not let requests redirect, whatever "
            "its group permits",
            "Drill a twin: --injector twin --litellm-config FILE; or set 'hidden: false' for the "
            "alias in LiteLLM's configuration.",
            Kind.GATEWAY_REFUSED,
        )

    def _caller_objection(self) -> Objection | None:
        """Object to settings of a virtual key that LiteLLM leaves aside on redirected requests.

        Source: ``route_request`` looks at ``api_base`` first; LiteLLM 1.106.2, run.
        """
        caller = self.topology.caller
        if caller is None or not caller.router_settings:
            return None
        return Objection(
            f"{caller.settings_of} has router_settings of its own "
            f"({', '.join(caller.router_settings)}), which LiteLLM leaves aside on a redirected "
            "request",
            "Drill a twin, which is started with them: --injector twin --litellm-config FILE",
            for_all=True,
        )

    def _permission_objection(self, group: str) -> Objection | None:
        deployments = self._deployments(group)
        urls = [self._witness.lane_url(lane) for lane in range(LANES)]
        allowed = [d for d in deployments if permits(d.redirect_permission, urls)]
        if len(allowed) == len(deployments) and deployments:
            return None
        some = "only some of its deployments allow" if allowed else "its deployments do not allow"
        return Objection(
            f"group {group!r} cannot be redirected: {some} api_base {urls[0]!r} "
            "(configurable_clientside_auth_params)",
            "Add the lines that 'understudy init' prints to every deployment of the group and "
            "restart the gateway, or drill a twin: --injector twin --litellm-config FILE",
            Kind.GATEWAY_REFUSED,
        )

    def _redirectable_objection(self, scenario: Scenario) -> Objection | None:
        """Object to a hop whose requests would go out past the witness, spares too."""
        for name in scenario.chain:
            if any(not deployment.redirectable for deployment in self._deployments(name)):
                return Objection(
                    f"hop {name!r} sets base_url, which LiteLLM prefers to a redirect: its "
                    "requests would go out past the witness",
                    "Write api_base instead of base_url in LiteLLM's configuration, or drill a "
                    "twin: --injector twin --litellm-config FILE",
                )
            reasons = (DIALECTS[d.dialect].twin_only for d in self._deployments(name) if d.dialect)
            why = next(filter(None, reasons), None)
            if why is not None:
                return Objection(
                    f"hop {name!r} {why}",
                    "Drill a twin, which signs in at the witness's side instead: --injector twin "
                    "--litellm-config FILE",
                )
        return None

    def _identity_objection(self, scenario: Scenario) -> Objection | None:
        contacted = scenario.chain[: scenario.depth + 1]
        for group in contacted:
            for deployment in self._deployments(group):
                if upstream_of(deployment) is None:
                    return Objection(
                        f"hop {group!r} speaks {deployment.provider!r}, a dialect that the "
                        "witness does not know",
                        "Drill a twin, which can make it fail: --injector twin --litellm-config "
                        "FILE. A dialect is one file in chaos/protocol/dialects.",
                    )
        return (
            self._serving_objection(scenario)
            or self._look_alike_objection(scenario)
            or self._order_objection(scenario)
        )

    def _order_objection(self, scenario: Scenario) -> Objection | None:
        """Object to orders that look alike where the later is to stand in for the earlier."""
        group = self.topology.find(scenario.group)
        if len(scenario.chain) > 1 or group is None or not group.ordered:
            return None
        for one, other in combinations(group.deployments, 2):
            if one.order != other.order and _look_alike(one, other):
                return Objection(
                    f"deployments of {scenario.group!r} look alike on the wire: both ask for "
                    f"{one.upstream_model!r}",
                    "Drill a twin, where every deployment has an address of its own: "
                    "--injector twin --litellm-config FILE",
                )
        return None

    def _deployments(self, group: str) -> tuple[Deployment, ...]:
        found = self.topology.find(group)
        return found.deployments if found else ()

    def _serving_objection(self, scenario: Scenario) -> Objection | None:
        serving = scenario.expected_hop
        if serving is None:
            return None
        group = self.topology.find(serving)
        if group is None:
            return None  # a name that the gateway does not have: nothing can arrive for it
        if not group.local and not self._real_keys:
            return None  # the witness stands in for it
        unknown = address_objection(group)
        if unknown is not None:
            return unknown
        if any(d.dialect and DIALECTS[d.dialect].signs for d in group.deployments):
            return Objection(
                f"hop {serving!r} signs its requests for its own host and cannot be passed on",
                "Drill it without --real-keys: it is then answered by a stand-in.",
            )
        addresses = {d.base_url for d in group.deployments}
        if len(addresses) == 1:
            return None
        return Objection(
            f"hop {serving!r} has {len(group.deployments)} deployments at {len(addresses)} real "
            "addresses, which a lane cannot tell apart",
            "Drill a twin, where every deployment has an address of its own: "
            "--injector twin --litellm-config FILE",
        )

    def _alike(self, scenario: Scenario) -> frozenset[str]:
        """Find the groups outside the chain that look like the hop whose key is used.

        At the same address they do no harm: the same upstream gets the request, and its key.
        """
        own = self._deployments(scenario.expected_hop or "")
        return frozenset(
            name
            for name, group in self.topology.groups.items()
            if name not in scenario.chain
            and any(
                stranger.base_url != mine.base_url and _look_alike(stranger, mine)
                for stranger in group.deployments
                for mine in own
            )
        )

    def _others(self, plan: DrillPlan) -> tuple[Upstream, ...]:
        """List the upstreams outside the chain, among which a key's owner is looked for.

        With a real key the canary has proven which of those that look alike is asked.
        """
        others = other_upstreams(plan, self.topology)
        if plan.canary or self.distrust(plan) is not None:
            return others
        alike = self._alike(plan.scenario)
        return tuple(upstream for upstream in others if upstream.group not in alike)

    def _look_alike_objection(self, scenario: Scenario) -> Objection | None:
        failing = set(scenario.chain[: scenario.depth])
        for one, other in combinations(scenario.chain, 2):
            if (one in failing) == (other in failing) and one in failing:
                continue
            for a in self._deployments(one):
                for b in self._deployments(other):
                    if _look_alike(a, b):
                        return Objection(
                            f"hops {one!r} and {other!r} look alike on the wire: both ask for "
                            f"{a.upstream_model!r}",
                            "Drill a twin, where every deployment has an address of its own: "
                            "--injector twin --litellm-config FILE",
                        )
        return None

    @asynccontextmanager
    async def route(self, plan: DrillPlan) -> AsyncIterator[Route]:
        """Lease a lane and say what the request carries to reach it."""
        async with self._witness.lane() as lane:
            lease = await self._witness.lease(
                nonce=plan.nonce,
                hops=leased_hops(plan),
                others=self._others(plan),
                ttl_s=plan.most_s + GRACE_S,
                lane=lane,
                canary=self._canary,
                wants_canary=plan.canary and not keyless(plan),
                secret=plan.secret,
                peers=None if plan.canary else self._peers.get(_way(plan)),
            )
            body: dict[str, Any] = {"api_base": self._witness.lane_url(lane)}
            if plan.canary:
                body["api_key"] = self._canary
            body["cache"] = {"no-cache": True}
            route = Route(self._url, self._key, body, lease)
            try:
                yield route
            finally:
                wire = await lease.end()
                await self._settle(plan, wire, lane, route)

    def learn(self, plan: DrillPlan, seen: Observation) -> None:
        """Note whether this canary proved the way of its chain, and where it came from."""
        if not plan.canary:
            return
        way = _way(plan)
        self._doubts[way] = doubt(plan, seen, self._alike(plan.scenario))
        self._peers[way] = frozenset(r.peer for r in seen.wire if r.peer is not None)

    def distrust(self, plan: DrillPlan) -> str | None:
        """Say what the last canary on this way left in doubt."""
        return self._doubts.get(_way(plan), "no canary has gone this way yet")

    async def _settle(
        self, plan: DrillPlan, wire: Sequence[WireRecord], lane: int, route: Route
    ) -> None:
        """Let each faulted deployment of the lane succeed once, while nobody else has the lane.

        LiteLLM's ``litellm_deployment_state`` of a redirected deployment stays at 1 until one
        reply on it succeeded, and people alert on it. The gateway chooses the deployment, so a
        group of several is asked until each was seen.
        """
        if not self._has_metrics:
            return
        owed: dict[str, set[str | None]] = {}
        for record in wire:
            if record.outcome is AttemptOutcome.FAULTED and record.group is not None:
                owed.setdefault(record.group, set()).add(record.deployment)
        for group, missing in owed.items():
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                for _ in range(MOST_TRIES * len(missing)):
                    route.settled += 1
                    missing.difference_update(await self._succeed_once(plan, group, lane))
                    if not missing:
                        break

    async def _succeed_once(self, plan: DrillPlan, group: str, lane: int) -> set[str | None]:
        """Ask *group* for one good answer on *lane*; tell which of its deployments gave it."""
        nonce = secrets.token_hex(4)
        leased = next(h for h in leased_hops(plan) if h.group == group)
        lease = await self._witness.lease(
            nonce=nonce,
            hops=[LeasedHop(group, leased.upstreams, Action.STAND_IN)],
            ttl_s=GRACE_S,
            lane=lane,
            canary=self._canary,
            wants_canary=not keyless(plan),
        )
        try:
            found = self.topology.find(group)
            embeds = found is not None and found.embeds
            surface = SURFACES["embeddings" if embeds else "chat_completions"]
            text = f"Say {nonce}."
            ask = Ask(inputs=(text,)) if embeds else Ask(turns=(Turn("user", text),), max_tokens=16)
            body: Mapping[str, Any] = {
                **surface.format.write_ask(ask, model=group, stream=False),
                "api_base": self._witness.lane_url(lane),
                "api_key": self._canary,
                "cache": {"no-cache": True},
            }
            async with self._session.post(
                self._url + surface.path,
                json=body,
                headers=surface.headers(self._key),
                timeout=aiohttp.ClientTimeout(total=GRACE_S),
                allow_redirects=False,
            ) as reply:
                await reply.read()
        finally:
            wire = await lease.end()
        return {r.deployment for r in wire if r.outcome is AttemptOutcome.STOOD_IN}


def _way(plan: DrillPlan) -> _Way:
    scenario = plan.scenario
    return scenario.chain, scenario.expected_hop, scenario.surface


def version_objection(version: str) -> Objection | None:
    """Refuse gateways on which a redirect would stay behind for every caller."""
    try:
        if Version(version) >= OLDEST:
            return None
    except InvalidVersion:
        pass
    return Objection(
        f"LiteLLM {version or '(version unknown)'} keeps a redirected deployment for every "
        f"caller; redirect needs {OLDEST} or newer",
        "Upgrade LiteLLM, or drill a twin: --injector twin --litellm-config FILE",
        Kind.GATEWAY_REFUSED,
        for_all=True,
    )


def _fault_objection(scenario: Scenario) -> Objection | None:
    for fault in scenario.faults.values():
        if FAULTS[fault.name].twin_only:
            return Objection(
                f"fault {str(fault)!r} needs an address of its own, which only a twin has",
                A_TWIN,
            )
    if scenario.depth and FAULTS[scenario.fault.name].lasts_s(scenario.fault.variant) is not None:
        return Objection(
            f"{scenario.fault.name} by redirect would meet none of the gateway's cooldowns",
            A_TWIN,
        )
    return None


def _look_alike(a: Deployment, b: Deployment) -> bool:
    """Two deployments ask for the same model in a language that both speak."""
    if a.upstream_model != b.upstream_model or a.dialect is None or b.dialect is None:
        return False
    spoken = {f.name for f in DIALECTS[a.dialect].formats}
    return bool(spoken & {f.name for f in DIALECTS[b.dialect].formats})
