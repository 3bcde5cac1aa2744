"""The founding incident, told in four steps against a real LiteLLM; each step is checked.

1. No fallbacks: a card is declined, and the audit names every group that would go down.
2. Chains are added, and the last hop refuses tool calls; plain chat hid it.
3. The engine gets its flags, and a daemon proves every path by its own schedule.
4. The engine's parser is changed behind everyone's back; its health stays green, and the alert
   arrives at a webhook. The parser is put back, and the alert is over.
"""

import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from chaos.drill.report import DrillReport, DrillRow
from chaos.exit_code import ExitCode
from chaos.faults.fault import FaultName
from chaos.gateway.client import open_gateway
from chaos.http_client import open_session
from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from chaos.lab.lab import ENGINE_NAME, Lab, running_lab
from chaos.lab.setups import SETUPS
from chaos.lab.webhook_receiver import ReceivedAlert, WebhookReceiver, webhook_receiver
from chaos.process.ports import free_port
from chaos.process.readiness import START_WITHIN_S, StartLimit
from chaos.scenario.expand import Selection
from supervisor.audit.finding import Audited
from supervisor.audit.rules import run_audits
from supervisor.campaign.request import DrillRequest
from supervisor.campaign.run import run_drills
from supervisor.cli.demo_daemon import DemoDaemon, demo_daemon
from supervisor.cli.progress import LiveDrills
from supervisor.coverage.ledger import PathState
from supervisor.reporting.coverage_table import summary
from supervisor.reporting.drill_table import table
from supervisor.settings.model import GatewaySettings, Settings, WitnessSettings
from supervisor.web.answers.paths import CoverageAnswer

GROUPS = 8
SHOWN = 4
BARE = replace(
    SETUPS["no_tool_flags"].engine,
    reasoning_parser=None,
    thinks=False,
)
UNREHEARSED = replace(SETUPS["no_tool_flags"], engine=BARE, fallbacks=False)
"""How the story begins: no chains, and an engine whose flags nobody has ever needed.

Its model does not think, as Gemma 4's template has it unless it is asked to: else a missing
reasoning parser would spoil plain chat as well, and somebody would have noticed.
"""

FAULTS = (FaultName("billing"),)
SHAPES = ("chat", "tool_call")


@dataclass(slots=True)
class Story:
    """What has been told so far, and what did not come out as it should."""

    out: Console
    err: Console
    say: Callable[[str], None]
    wrong: list[str] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)

    def step(self, number: int, title: str) -> None:
        """Begin a step."""
        self.out.print()
        rule = Rule(Text(f"{number}. {title}", style="bold"), align="left")
        self.out.print(rule, width=min(self.out.width, 100))  # A log has no edge to draw it to.

    def tell(self, text: str) -> None:
        """Tell one thing."""
        self.out.print(Text(text))

    def alert(self, alert: ReceivedAlert) -> None:
        """Show an alert as it arrives at the webhook: whole once, then by its group."""
        if alert.name == "Watchdog":
            return
        what = "fires" if alert.firing else "is over"
        style = "bold red" if alert.firing else "bold green"
        where = alert.labels.get("group", alert.labels.get("engine", ""))
        line = Text.assemble(("webhook  ", "dim"), (f"{alert.name} {what}", style), f"  {where}")
        self.out.print(line)
        if alert.firing and alert.name not in self.shown:
            self.shown.add(alert.name)
            text = f"{alert.annotations['summary']}\n{alert.annotations['description']}"
            self.out.print(Padding(Text(text), (0, 0, 0, 9)))

    def end(self) -> None:
        """Say whether it came out as told, and what comes next."""
        self.out.print()
        if self.wrong:
            wrong = f"{len(self.wrong)} step(s) did not come out as expected."
            self.out.print(Text(wrong, style="bold red"))
            return
        self.out.print(
            Text("Now your own gateway: ")
            + Text("understudy drill --gateway http://127.0.0.1:4000 --key-env LITELLM_KEY", "bold")
        )

    def expect(self, holds: bool, otherwise: str) -> None:
        """Check that the story comes out as told."""
        if not holds:
            self.wrong.append(otherwise)
            self.out.print(
                Text(f"This step did not come out as expected: {otherwise}", style="bold red")
            )


async def tell_the_story(
    out: Console,
    err: Console,
    say: Callable[[str], None],
    *,
    engine_kind: str = "simulated",
    start_within_s: float = START_WITHIN_S,
    linger: Callable[[], Awaitable[object]] | None = None,
) -> int:
    """Tell all four steps; 0 if each came out as told, else 1.

    Args:
        engine_kind: ``simulated``, or ``vllm``: the same story with a real engine.
        start_within_s: How long LiteLLM, and vLLM, may take to start.
        linger: Waited for at the end, with everything still there; None ends it at once.
    """
    story = Story(out, err, say)
    limit = StartLimit(start_within_s, "--start-within")
    with tempfile.TemporaryDirectory(prefix="understudy-demo-") as folder:
        async with running_lab(
            UNREHEARSED,
            Path(folder),
            say=say,
            witness_port=free_port(),
            engine_kind=engine_kind,
            limit=limit,
        ) as lab:
            await _without_fallbacks(story, lab)
            await _with_chains(story, lab)
            await _with_a_daemon(story, lab, Path(folder), limit, linger)
    return ExitCode.FAILED if story.wrong else ExitCode.OK


async def _without_fallbacks(story: Story, lab: Lab) -> None:
    story.step(1, "A gateway with eight model groups and no fallbacks")
    lab.provider.fails_with("billing")
    status, message = await _ask(lab, "claude-opus")
    story.tell(f"A card is declined. Asking claude-opus: HTTP {status}, {message}")
    story.expect(status == 400 and "credit balance" in message, "the client's error")
    async with open_gateway(lab.gateway_url, key=lab.key, admin_key=lab.admin_key) as gateway:
        findings = run_audits(Audited(await gateway.topology()))
    alone = [finding for finding in findings if finding.code == "no_fallback"]
    story.tell("\nunderstudy audit, without a single model request:")
    for finding in alone:
        story.tell(f"  {finding.severity}: {finding.code}  {finding.subject}")
    story.expect(len(alone) == GROUPS, f"the audit named {len(alone)} of {GROUPS} groups")


async def _with_chains(story: Story, lab: Lab) -> None:
    story.step(2, "Chains are added: every group falls back to the local engine")
    await lab.restart_gateway(fallbacks=True)
    report = await _drill(lab, story)
    _show(story, report.drills)
    chat, tools = _split(report.drills)
    story.tell(
        f"Plain chat passed {_passed(chat)} of {len(chat)} times: that is why nobody noticed. "
        f"Tool calls came through {_passed(tools)} of {len(tools)} times."
    )
    # A tiny model may miss the nonce once, which fails no plain chat: it proves nothing.
    failed = any(row.outcome is Outcome.FAILED for row in chat)
    story.expect(
        not failed and _passed(chat) > len(chat) / 2, "plain chat passes without tool flags"
    )
    story.expect(_only(tools, Kind.HOP_FAILED), "every tool call fails with hop_failed")


async def _with_a_daemon(
    story: Story,
    lab: Lab,
    folder: Path,
    limit: StartLimit,
    linger: Callable[[], Awaitable[object]] | None,
) -> None:
    """Steps 3 and 4, by the daemon's own schedule."""
    story.step(3, "The engine is started again, with its tool-call flags; a daemon watches")
    await lab.engine.restart(enable_auto_tool_choice=True, tool_call_parser="gemma4")
    rehearse = {"shapes": list(SHAPES), "faults": [str(fault) for fault in FAULTS]}
    async with (
        webhook_receiver(story.alert) as receiver,
        demo_daemon(lab, folder, receiver.url, rehearse, limit) as daemon,
    ):
        story.tell(f"understudy run --config {daemon.config}")
        known = await daemon.coverage(_all_proven, PathState.PROVEN, story.err)
        story.out.print(summary(known.states, known.ratio))
        story.tell(f"Next: {known.next.reason}. The page that shows it: {daemon.url}/")
        await _behind_everyones_back(story, lab, daemon, receiver)
        story.end()
        if linger is not None:
            story.out.print(
                f"\nThe lab and its daemon go on until Ctrl-C. In another terminal:\n"
                f"  understudy status --config {daemon.config}\n"
                f"The page: {daemon.url}/",
                soft_wrap=True,
                markup=False,
            )
            await linger()


async def _behind_everyones_back(
    story: Story, lab: Lab, daemon: DemoDaemon, receiver: WebhookReceiver
) -> None:
    story.step(4, "Someone changes the engine's tool-call parser, and nobody notices")
    await lab.engine.restart(tool_call_parser="hermes")
    health = await _health(lab)
    story.tell(f"GET /health of the engine: {health}. Every probe is green.")
    story.expect(health == 200, "the engine's health stays green")
    story.tell("The daemon sees that the engine was restarted, and drills what depends on it.")
    known = await daemon.coverage(_leaking, PathState.FAILED, story.err)
    failed = [path for path in known.paths if path.state is PathState.FAILED]
    story.expect(
        {path.kind for path in failed} == {Kind.TOOL_CALL_LEAKED},
        "only tool calls fail: tool_call_leaked",
    )
    groups = {path.group for path in failed}
    await receiver.until(lambda came: _broken(came) == groups)
    story.tell("\nThe parser is put back.")
    await lab.engine.restart(tool_call_parser="gemma4")
    await daemon.coverage(_all_proven, PathState.PROVEN, story.err)
    await receiver.until(lambda came: not _broken(came))
    story.tell("\nEvery path is proven again, and every alert is over.")


def _all_proven(known: CoverageAnswer) -> bool:
    return bool(known.paths) and all(path.state is PathState.PROVEN for path in known.paths)


def _leaking(known: CoverageAnswer) -> bool:
    """Say whether every path of tool calls over the engine has been found broken."""
    tools = [p for p in known.paths if p.shape == "tool_call" and p.hop == ENGINE_NAME]
    return bool(tools) and all(path.state is PathState.FAILED for path in tools)


def _broken(came: list[ReceivedAlert]) -> set[str]:
    """Name the groups whose fallback is broken, by the last that came of each."""
    last = {alert.labels["group"]: alert.firing for alert in came if alert.name == "FallbackBroken"}
    return {group for group, firing in last.items() if firing}


def _split(rows: Sequence[DrillRow]) -> tuple[list[DrillRow], list[DrillRow]]:
    """Part the drills in which a hop had to serve: plain chat, and tool calls."""
    serving = [row for row in rows if row.scenario.expected_hop is not None]
    chat = [row for row in serving if row.scenario.shape == "chat"]
    return chat, [row for row in serving if row.scenario.shape == "tool_call"]


async def _drill(lab: Lab, story: Story) -> DrillReport:
    settings = Settings(
        gateway=GatewaySettings(url=lab.gateway_url),
        witness=WitnessSettings(
            listen=(f"127.0.0.1:{lab.witness_port}",), url=f"http://127.0.0.1:{lab.witness_port}"
        ),
    )
    request = DrillRequest(Selection(faults=FAULTS, shapes=SHAPES))
    options = (("fault", FAULTS), ("shape", SHAPES))
    command = " ".join(f"--{name} {value}" for name, values in options for value in values)
    story.tell(f"understudy drill {command}")
    async with open_gateway(lab.gateway_url, key=lab.key, admin_key=lab.admin_key) as gateway:
        with LiveDrills(story.err) as live:
            return await run_drills(gateway, settings, request, listen=live.take)


def _show(story: Story, rows: Sequence[DrillRow]) -> None:
    """Show the first failures, and count the rest."""
    failed = [row for row in rows if row.outcome is not Outcome.PASSED]
    story.out.print(table(failed[:SHOWN]))
    counts = Counter(row.kind.value for row in failed[SHOWN:] if row.kind)
    if counts:
        more = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        story.tell(f"… and more: {more}")
    remedy = next((f.remedy for row in failed[:1] for f in row.findings if f.remedy), None)
    if remedy:
        story.tell(f"→ {remedy}")


def _passed(rows: Sequence[DrillRow]) -> int:
    return sum(1 for row in rows if row.outcome is Outcome.PASSED)


def _only(rows: Sequence[DrillRow], kind: Kind) -> bool:
    return bool(rows) and all(row.kind is kind for row in rows)


async def _ask(lab: Lab, group: str) -> tuple[int, str]:
    body = {"model": group, "messages": [{"role": "user", "content": "Hello"}]}
    headers = {"authorization": f"Bearer {lab.key}"}
    async with (
        open_session() as session,
        session.post(
            f"{lab.gateway_url}/v1/chat/completions",
            json=body,
            headers=headers,
            allow_redirects=False,
        ) as reply,
    ):
        answer = await reply.json()
    message = str(answer.get("error", {}).get("message", ""))
    return reply.status, message[:240]


async def _health(lab: Lab) -> int:
    async with (
        open_session() as session,
        session.get(f"{lab.engine.url}/health", allow_redirects=False) as reply,
    ):
        return reply.status
