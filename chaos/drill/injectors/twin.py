"""Twin: a second LiteLLM from the same configuration, with the witness for every upstream.

It needs no permission of the running gateway and works with any version. Every deployment has
an address of its own, so a hop is always known. A pass proves a configuration, not the running
gateway.
"""

import os
import re
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from chaos.drill.forwardable import address_objection
from chaos.drill.injector import Injector, Objection, Route, Setting, TwinOptions
from chaos.drill.injectors.redirect import version_objection
from chaos.drill.leasing import keyless, leased_hops, other_upstreams
from chaos.drill.twin.config import rewrite
from chaos.drill.twin.container import write_container_script
from chaos.drill.twin.google_sign_in import google_sign_in, has_google_auth
from chaos.drill.twin.own_code import link_own_code
from chaos.drill.twin.real_addresses import locality_of, with_real_addresses
from chaos.drill.twin.turns import Turns
from chaos.errors import SetupError, UsageError
from chaos.faults.kinds import FAULTS
from chaos.gateway.client import ANSWER_WITHIN_S, Gateway, open_gateway
from chaos.gateway.config_file import read_litellm_config
from chaos.gateway.install import install_litellm, litellm_bin
from chaos.gateway.process import DEFAULT_LIMIT, OWN_ENVIRONMENT, running_litellm
from chaos.gateway.topology import Topology
from chaos.gateway.virtual_key import VirtualKey
from chaos.judge.check import Kind
from chaos.judge.observation import ClientReply
from chaos.process.environment import default_folder
from chaos.process.readiness import StartLimit
from chaos.protocol.dialects import DIALECTS
from chaos.protocol.dialects.generic import ELSEWHERE
from chaos.scenario.plan import DrillPlan, HopRole, pays
from chaos.scenario.scenario import Scenario
from chaos.witness.closable_port import ClosablePort, closable_ports
from chaos.witness.lease import MOST_RECORDS
from chaos.witness.server import Witness
from chaos.witness.wire_record import AttemptOutcome, WireRecord

GRACE_S = 30.0
_NOT_CONNECTED = re.compile(
    r"cannot connect|could not connect|connect(?:ion)? (?:call failed|error|refused)"
    r"|connection attempts failed",
    re.IGNORECASE,
)
"""How LiteLLM's clients tell of a refused connection. Source: LiteLLM 1.106.2, run."""

_NO_PROXY = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
"""The witness is reached directly, whatever a container is given by its engine's settings."""


class Twin(Injector):
    """Drills a twin of the gateway; made by ``Twin.starting``."""

    name = "twin"

    def __init__(
        self,
        witness: Witness,
        topology: Topology,
        *,
        gateway: Gateway,
        stripped: tuple[str, ...],
        addresses: Mapping[str, str],
        refusing: Mapping[str, ClosablePort],
        canary: str,
        real_keys: bool,
        cooldowns: bool = False,
        running_groups: Collection[str] = (),
        caller: VirtualKey | None = None,
        signs_in: bool = True,
    ) -> None:
        self._caller = caller
        self.gateway = gateway
        self.topology = topology
        self.stripped = stripped
        self._witness = witness
        self._url = gateway.url
        self._key = gateway.key
        self._addresses = addresses
        self._ports = refusing
        self._canary = canary
        self._real_keys = real_keys
        self._cooldowns = cooldowns
        self._running_groups = running_groups
        self._signs_in = signs_in
        self._turn = Turns()

    @classmethod
    def lacks(cls, setting: Setting) -> Objection | None:
        """Object where LiteLLM's configuration file is not named."""
        if setting.twin.config_file is not None:
            return None
        return Objection(
            "a twin needs LiteLLM's configuration file",
            "Give --litellm-config FILE: the file that the gateway was started with.",
        )

    @classmethod
    @asynccontextmanager
    async def opened(cls, setting: Setting) -> AsyncIterator["Twin"]:
        """Start a twin of the gateway as the settings say."""
        options, topology = setting.twin, setting.topology
        objection = cls.lacks(setting)
        if options.config_file is None or objection is not None:
            assert objection is not None  # noqa: S101 -- without a file there is one
            raise UsageError(objection.reason, remedy=objection.remedy)
        running = topology.litellm_version if topology else ""
        executable = await _executable(options, running, setting.say)
        setting.say("twin: starting a second LiteLLM from the same configuration")
        with tempfile.TemporaryDirectory(prefix="understudy-twin-") as folder:
            async with cls.starting(
                setting.witness,
                options.config_file,
                executable=executable,
                image=options.image,
                directory=Path(folder),
                expected_version=running,
                engines=setting.engine_urls,
                paid=setting.paid,
                default_bases=setting.default_bases,
                wildcards=setting.wildcards,
                real_keys=setting.real_keys,
                cooldowns=options.cooldowns,
                running_groups={*topology.groups, *topology.other_names} if topology else (),
                limit=options.limit,
                answer_within_s=(
                    setting.gateway.answer_within_s if setting.gateway else ANSWER_WITHIN_S
                ),
                caller=topology.caller if topology else None,
                say=setting.say,
            ) as twin:
                yield twin

    @classmethod
    @asynccontextmanager
    async def starting(
        cls,
        witness: Witness,
        config_file: Path,
        *,
        executable: Path | None,
        directory: Path,
        image: str | None = None,
        expected_version: str = "",
        engines: Mapping[str, str] | None = None,
        default_bases: Mapping[str, str] | None = None,
        wildcards: Mapping[str, str] | None = None,
        real_keys: bool = False,
        cooldowns: bool = False,
        paid: Collection[str] = (),
        running_groups: Collection[str] = (),
        limit: StartLimit = DEFAULT_LIMIT,
        answer_within_s: float = ANSWER_WITHIN_S,
        caller: VirtualKey | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> AsyncIterator["Twin"]:
        """Start a twin of the gateway whose configuration is in *config_file*, until exit.

        Args:
            executable: LiteLLM's; ignored with *image*.
            image: A container image of LiteLLM, run by ``docker`` on the host's network. Its
                command line is tested; a run needs a Docker engine with that image.
            expected_version: Of the running gateway; a twin of another version proves nothing.
            cooldowns: Leave LiteLLM's cooldowns on, for faults that end.
            running_groups: What the running gateway has; a group that is not in the file cannot
                be drilled.
            caller: The virtual key whose settings it is started with.
            say: Takes progress while it starts.

        Raises:
            UsageError: The file cannot be read or lists no models.
            SetupError: LiteLLM did not come up with it (its own words are told), or has
                another version.
        """
        raw = read_litellm_config(config_file)
        canary = f"understudy-canary-{secrets.token_urlsafe(12)}"
        if executable is None and image is None:
            raise SetupError("a twin needs a LiteLLM to start", remedy="Give --litellm-bin FILE.")
        async with AsyncExitStack() as stack:
            count = len(raw.get("model_list") or ())
            opened = await stack.enter_async_context(
                closable_ports(witness.server, "127.0.0.1", count)
            )
            google = await stack.enter_async_context(google_sign_in(canary))
            made = rewrite(
                raw,
                google=google,
                base_url=lambda index: f"{opened[index].url}/twin/{index}",
                canary=canary,
                variables=os.environ,
                real_keys=real_keys,
                cooldowns=cooldowns,
                caller_settings=caller.router_settings if caller is not None else {},
            )
            link_own_code(config_file.parent, directory)
            environment = {**made.environment, **_NO_PROXY}
            program = (
                write_container_script(
                    directory,
                    image,
                    source=config_file.parent,
                    variables=[*OWN_ENVIRONMENT, *environment],
                )
                if image is not None
                else executable
            )
            assert program is not None  # noqa: S101 -- one of the two was given
            key = f"sk-{secrets.token_hex(24)}"
            process = await stack.enter_async_context(
                running_litellm(
                    program,
                    made.config,
                    directory=directory,
                    master_key=key,
                    environment=environment,
                    limit=limit,
                    say=say,
                )
            )
            gateway = await stack.enter_async_context(
                open_gateway(
                    process.url,
                    key=key,
                    admin_key=key,
                    engines=engines,
                    paid=paid,
                    wildcards=wildcards,
                    answer_within_s=answer_within_s,
                )
            )
            topology = await gateway.topology()
            locality = await locality_of(gateway, made, default_bases or {})
            _same_version(topology.litellm_version, expected_version)
            yield cls(
                witness,
                with_real_addresses(topology, made, locality, default_bases or {}),
                gateway=gateway,
                stripped=made.stripped,
                addresses={d.id: f"{d.index}" for d in made.deployments},
                refusing={d.id: opened[d.index] for d in made.deployments},
                canary=canary,
                real_keys=real_keys,
                cooldowns=cooldowns,
                running_groups=running_groups,
                caller=caller,
                signs_in=has_google_auth(executable if image is None else None),
            )

    def objection(self, scenario: Scenario) -> Objection | None:
        """Object to what this twin cannot show, and to hops that it cannot play or pass on."""
        ends = FAULTS[scenario.fault.name].lasts_s(scenario.fault.variant) is not None
        if scenario.depth and ends is not self._cooldowns:
            return _with_or_without_cooldowns(scenario.fault.name)
        hops = (self._hop_objection(g, scenario) for g in scenario.chain[: scenario.depth + 1])
        return (
            self._caller_objection(scenario)
            or next((one for one in hops if one is not None), None)
            or self._serving_objection(scenario)
        )

    def _hop_objection(self, group: str, scenario: Scenario) -> Objection | None:
        """Object to groups that it does not have, and to providers that it cannot stand in for."""
        found = self.topology.find(group)
        if found is None and (group == scenario.group or group in self._running_groups):
            return Objection(
                f"the twin has no model group {group!r}; the running gateway may have it "
                "from its database",
                "Give --litellm-config the file that the gateway was started with, and drill "
                "groups of the database by redirect.",
                Kind.GATEWAY_REFUSED,
            )
        deployments = found.deployments if found is not None else ()
        if any(d.dialect == "vertex" for d in deployments) and not self._signs_in:
            return Objection(
                f"hop {group!r} is Vertex AI's, and the twin's LiteLLM lacks google-auth, "
                "without which it asks Vertex AI nothing",
                "Install google-auth beside that LiteLLM, or give --litellm-bin or "
                "--litellm-image one that has it.",
            )
        strangers = [d.provider for d in deployments if d.dialect is None]
        return _unknown_dialect(group, strangers[0], scenario) if strangers else None

    def _serving_objection(self, scenario: Scenario) -> Objection | None:
        """Object to odd keys, and to a serving hop whose requests cannot be passed on."""
        serving = self.topology.find(scenario.expected_hop or "")
        if self._real_keys and not pays(scenario, serving):
            # The canary key that such a drill carries would stay behind in the twin.
            version = self.topology.litellm_version
            if version_objection(version) is not None:
                return Objection(
                    f"LiteLLM {version} keeps the canary key of one drill for the next ones",
                    "Drill it without --real-keys, or upgrade LiteLLM.",
                )
        if serving is None or (not serving.local and not self._real_keys):
            return None
        unknown = address_objection(serving)
        if unknown is not None:
            return unknown
        if any(d.dialect and DIALECTS[d.dialect].signs for d in serving.deployments):
            return Objection(
                f"hop {serving.name!r} signs its requests for its own host and cannot be passed on",
                "Drill it without --real-keys: it is then answered by a stand-in.",
            )
        return None

    def _caller_objection(self, scenario: Scenario) -> Objection | None:
        """Object to what only the gateway decides of a virtual key: a twin has none."""
        caller = self._caller
        if caller is None:
            return None
        closed = [hop for hop in scenario.chain[1:] if not caller.may_ask(hop)]
        if caller.unusable is None and not closed:
            return None
        why = caller.unusable or f"the key {caller.name} may not ask for {closed[0]} itself"
        return Objection(
            f"a twin has no virtual keys, so it cannot show what the gateway makes of this: {why}",
            "Drill by redirect, which asks the gateway with the key itself. Where the key has "
            "router_settings of its own, that cannot be proven.",
        )

    @asynccontextmanager
    async def route(self, plan: DrillPlan) -> AsyncIterator[Route]:
        """Take a lease, and close the ports of hops whose connections have to be refused."""
        closed = [
            self._ports[deployment.id]
            for hop in plan.hops
            if hop.fault is not None and FAULTS[hop.fault.name].twin_only
            for deployment in hop.deployments
        ]
        # With cooldowns one sequence would keep hops away from the other.
        apart = bool(closed) or self._cooldowns
        async with self._turn.alone() if apart else self._turn.together():
            lease = await self._witness.lease(
                nonce=plan.nonce,
                hops=leased_hops(plan, self._addresses),
                others=other_upstreams(plan, self.topology, self._addresses),
                ttl_s=plan.most_s + GRACE_S,
                most_records=MOST_RECORDS * (10 if plan.course else 1),
                on_lane=False,
                canary=self._canary,
                wants_canary=plan.canary and not keyless(plan, by_address=True),
                secret=plan.secret,
            )
            try:
                for port in closed:
                    await port.close()
                body: dict[str, Any] = {"cache": {"no-cache": True}}
                if self._real_keys and plan.canary:
                    body["api_key"] = self._canary
                yield Route(self._url, self._key, body, lease)
            finally:
                await lease.end()
                for port in closed:
                    await port.open()

    def distrust(self, plan: DrillPlan) -> str | None:  # noqa: ARG002 -- the contract's
        """Find nothing: a twin is ours, and dials an address of its own for each deployment."""
        return None

    def infer(
        self, plan: DrillPlan, wire: tuple[WireRecord, ...], reply: ClientReply
    ) -> tuple[WireRecord, ...]:
        """Add the refused attempts, which no server can see, where they are certain.

        A hop whose port refused connections was tried if a later hop of its chain was asked
        with the drill's nonce, or if everything was to fail and the client's error tells of a
        connection. Other errors may come from before any attempt.
        """
        contacted = [record.group for record in wire]
        order = [hop.group for hop in plan.hops]
        furthest = max((order.index(g) for g in contacted if g in order), default=-1)
        error = reply.reading.error
        told = error is not None and _NOT_CONNECTED.search(error.message)
        if furthest < 0 and told and plan.scenario.everything_down:
            furthest = len(order)
        inferred = tuple(
            _refused(place, hop.group, str(hop.fault))
            for place, hop in enumerate(plan.hops)
            if hop.role is HopRole.FAIL
            and hop.fault is not None
            and FAULTS[hop.fault.name].twin_only
            and place < furthest
        )
        return (*inferred, *wire)


def _unknown_dialect(group: str, provider: str, scenario: Scenario) -> Objection | None:
    """Object to a hop of an unknown dialect that has more to do than to fail without a word."""
    about = f"hop {group!r} speaks {provider!r}, a dialect that the witness does not know: "
    if provider in ELSEWHERE:
        return Objection(
            f"{about}LiteLLM asks {provider} at its own address, whatever api_base says",
            "Drill the other hops: a drill of this one would leave the machine.",
        )
    fault = scenario.faults.get(group)
    if fault is None:
        return Objection(
            f"{about}it can be made to fail, and neither serve nor be stood in for",
            "Drill depths at which it fails: --depth. A dialect is one file in "
            "chaos/protocol/dialects.",
        )
    if fault.once or not FAULTS[fault.name].wordless:
        return Objection(
            f"{about}fault {str(fault)!r} has it say something that is not an error",
            "Drill a status fault, hang, connection_reset or connection_refused.",
        )
    return None


async def _executable(
    options: TwinOptions, running: str, say: Callable[[str], None]
) -> Path | None:
    """Find a LiteLLM for the twin, or install the version that is asked for.

    Args:
        running: The gateway's version; where it is there, it is the one to prove something of.

    Raises:
        SetupError: There is none.
    """
    if options.executable is not None or options.image is not None:
        return options.executable
    folder = default_folder()
    if options.version is not None:
        return await install_litellm(folder, options.version, say=say)
    found = (litellm_bin(folder, running) if running else None) or litellm_bin(folder)
    if found is None:
        raise SetupError(
            "a twin needs a LiteLLM to start",
            remedy="Give --litellm-version VERSION, which installs it, or --litellm-bin FILE; "
            "understudy lab --prepare installs the lab's.",
        )
    return found


def _with_or_without_cooldowns(fault: str) -> Objection:
    return Objection(
        f"{fault} is drilled in a twin whose cooldowns are on, and nothing else is",
        f"Drill {fault} by itself, or without it.",
    )


def _same_version(started: str, expected: str) -> None:
    if expected and started != expected:
        raise SetupError(
            f"the twin's LiteLLM is {started}, and the gateway's is {expected}: it would prove "
            "nothing about the gateway",
            remedy=f"Give --litellm-version {expected}, which installs it, or --litellm-bin.",
        )


def _refused(place: int, group: str, fault: str) -> WireRecord:
    return WireRecord(
        ordinal=place + 1,
        group=group,
        deployment=None,
        dialect=None,
        operation=None,
        model=None,
        stream=False,
        outcome=AttemptOutcome.FAULTED,
        status=None,
        fault=fault,
        whole=False,
    )
