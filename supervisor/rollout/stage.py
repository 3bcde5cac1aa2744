"""Make the next container and try what can be tried, while the old one serves.

    pin       the image is named by what cannot change
    patches   the image's own files that mounted ones replace are kept and hashed
    render    tokenizer, template and parsers are tried without a GPU
    create    the next container is made; it is not started, and restarts by itself never
    way_back  how to get back is written down, in words that need no Understudy

Nothing that serves is touched. A step that fails leaves nothing of this behind.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from chaos.errors import SetupError
from supervisor.rollout import render, way_back
from supervisor.rollout.checks.image import digest_of, short
from supervisor.rollout.command_line import VllmCommand
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.docker_host import DockerHost, in_thread
from supervisor.rollout.facts import NEXT, RolloutFacts
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.journal import Journal
from supervisor.rollout.patches import as_looks, extract
from supervisor.rollout.plan import Plan
from supervisor.store.engines.rollouts import RolloutState
from supervisor.store.store import Store

TRIAL = "-trial"
FILE = "rollout.yaml"
"""What was staged, as it was then: the file that a person has may change."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What staging came to.

    Attributes:
        findings: What was tried, besides what the plan had found.
        container: The next container's name; None where it was refused.
        folder: Where the patched files and the way back are.
    """

    name: str
    findings: tuple[Finding, ...]
    container: str | None
    container_id: str | None
    image_id: str
    folder: Path

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What cannot work."""
        return tuple(one for one in self.findings if one.answer is Answer.REFUSED)


def name_of(container: str, now: datetime) -> str:
    """Name a rollout: by time, so that names sort, and by its container."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", container)[:32]
    return f"{now:%Y%m%d-%H%M%S}-{plain}"


async def stage(
    host: DockerHost,
    store: Store,
    plan: Plan,
    folder: Path,
    *,
    text: str,
    canary_nats: float | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Staged:
    """Stage what *plan* says; it must not be refused.

    Args:
        folder: Where rollouts keep their files; each gets one of its own.
        text: The rollout file's.
        canary_nats: What the old engine makes of the fixed text, while it serves.

    Raises:
        SetupError: Docker cannot do it; nothing is left behind.
        StoreError: It cannot be written down, so it is not done.
    """
    facts = plan.facts
    assert facts.container is not None  # noqa: S101 -- a plan without one is refused
    name = name_of(facts.file.container, facts.now)
    own = folder / name
    journal = Journal(store, name)
    image_id = str((facts.image or {}).get("Id") or "")
    spec = facts.spec.model_copy(update={"image": image_id})
    await journal.begin(
        engine=facts.file.engine,
        container=facts.file.container,
        row={
            "without_baseline": facts.without_baseline,
            "baseline": facts.baseline.id if facts.baseline else None,
            "changes": [f"{one.what}: {one.now} → {one.then}" for one in plan.changes],
            "uncovered": [one.group for one in plan.uncovered],
            "away_s": plan.away_s,
            "folder": str(own),
            "needs_acceptance": plan.needs_acceptance,
            "tools": _calls_tools(facts.command),
            "model_folder": str(facts.model.folder) if facts.model and facts.model.folder else "",
            "old": {
                "names": list((facts.engine.names if facts.engine else None) or ()),
                "model": facts.old_command.model if facts.old_command else None,
                "tools": _calls_tools(facts.old_command),
                "start_s": facts.start_s,
                "canary_nats": canary_nats,
            },
        },
    )
    findings: list[Finding] = []
    made: str | None = None
    try:
        async with journal.step("pin", image=facts.spec.image) as told:
            told |= {"id": image_id, "digest": digest_of(facts.image or {})}
        findings.append(_pinned(facts, image_id))
        await asyncio.to_thread(own.mkdir, parents=True, exist_ok=True, mode=0o700)
        (own / FILE).write_text(text, "utf-8")
        findings += await _keep_patches(host, journal, facts, own)
        old_image = str(facts.container.get("Image") or "")
        await store.note_patches(
            as_looks(
                facts.patches,
                *(facts.file.container, old_image, image_id),
                facts.file.patched_for,
                facts.now,
            )
        )
        if facts.command is not None:
            findings += await _tried(host, journal, facts, spec, name, say)
        if any(one.answer is Answer.REFUSED for one in findings):
            await journal.become(RolloutState.REFUSED, why=_why(findings))
            return Staged(name, tuple(findings), None, None, image_id, own)
        await _replace(host, store, facts.file.container, name)
        async with journal.step("create", name=facts.file.container + NEXT) as told:
            made = facts.file.container + NEXT
            made_id = await in_thread(host.create, spec, made, name)
            told["id"] = made_id
        async with journal.step("way_back") as told:
            back = way_back.way_back_of(facts.container, facts.file.container, name)
            (own / way_back.FILE).write_text(way_back.written(back), "utf-8")
            told["file"] = str(own / way_back.FILE)
        await journal.become(
            RolloutState.STAGED,
            way_back=back,
            next={
                "name": made,
                "id": made_id,
                "image": image_id,
                "model": facts.command.model if facts.command else None,
            },
            findings=[f"{one.check}: {one.came}" for one in findings],
        )
    except BaseException as error:
        # Cancelled or failed: what was made goes, and the journal says so.
        if made is not None:
            await asyncio.shield(in_thread(host.remove, made))
        why = error.message if isinstance(error, SetupError) else type(error).__name__
        await asyncio.shield(journal.become(RolloutState.REFUSED, why=why))
        raise
    return Staged(name, tuple(findings), made, made_id, image_id, own)


def _calls_tools(command: VllmCommand | None) -> bool:
    return command is not None and "--enable-auto-tool-choice" in command.flags


def _pinned(facts: RolloutFacts, image_id: str) -> Finding:
    return Finding(
        "pin",
        Answer.OK,
        "the image cannot change under its name",
        f"{facts.spec.image} is taken as {short(image_id)}",
    )


async def _keep_patches(
    host: DockerHost, journal: Journal, facts: RolloutFacts, folder: Path
) -> list[Finding]:
    if not facts.patches:
        return []
    async with journal.step("patches") as told:
        image = str((facts.image or {}).get("Id") or facts.spec.image)
        kept = await in_thread(extract, host, facts.patches, image, folder / "patches")
        told["files"] = [
            {"target": one.target, "source": one.source, "ours": one.ours, "image": one.after}
            for one in facts.patches
        ]
    return [
        Finding(
            "patches",
            Answer.OK,
            "what a mounted file replaces is kept",
            f"{target}: compare {place}/image and {place}/mounted",
        )
        for target, place in kept.items()
    ]


async def _tried(
    host: DockerHost,
    journal: Journal,
    facts: RolloutFacts,
    spec: ContainerSpec,
    name: str,
    say: Callable[[str], None],
) -> list[Finding]:
    assert facts.command is not None  # noqa: S101 -- the caller has looked
    within_s = facts.file.limits.render.total_seconds()
    async with journal.step("render", within_s=within_s) as told:
        rendered = await render.try_render(
            host,
            spec,
            facts.command,
            name=f"{facts.file.container}{TRIAL}",
            rollout=name,
            within_s=within_s,
            say=say,
        )
        found = list(render.findings_of(rendered, facts.command, within_s))
        told |= {
            "took_s": rendered.took_s,
            "result": rendered.result,
            "exit_code": rendered.exit_code,
            "log_tail": rendered.log_tail,
        }
    return found


async def _replace(host: DockerHost, store: Store, container: str, name: str) -> None:
    """Remove what was staged for this container before; there is one next one at most."""
    await in_thread(host.remove, container + NEXT)
    for one in await store.rollouts(container):
        if one.state in (RolloutState.STAGED, RolloutState.STAGING) and one.id != name:
            await store.change_rollout(one.id, state=RolloutState.REPLACED, row={"by": name})


def _why(findings: list[Finding]) -> str:
    return "; ".join(one.came for one in findings if one.answer is Answer.REFUSED)


# --- where it stands ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Serving:
    """What a rollout's containers are at this moment, as Docker says.

    Attributes:
        serving: The container of that name: its id and status; None if there is none.
        which: It is the ``old`` one, the ``new`` one, or ``another``.
        old: The old container's name and status; None if it is gone.
        new: The staged one's; None if it is gone.
    """

    serving: str | None = None
    which: str = ""
    old: str | None = None
    new: str | None = None


def serving_now(host: DockerHost, row: dict[str, Any], container: str) -> Serving:
    """Look what serves, and whether the containers of a rollout are still there; blocking."""
    old_id = (row.get("way_back") or {}).get("old_id")
    new_id = (row.get("next") or {}).get("id")
    there = host.container(container)
    identity = there["Id"] if there is not None else None
    known = {old_id: "old", new_id: "new"}
    return Serving(
        f"{identity[:12]}, {_status(there)}" if there is not None and identity else None,
        known.get(identity, "another") if identity else "",
        _named(host, old_id),
        _named(host, new_id),
    )


def _named(host: DockerHost, identity: str | None) -> str | None:
    there = host.container(identity) if identity else None
    return f"{str(there['Name']).strip('/')}, {_status(there)}" if there is not None else None


def _status(described: Any) -> str:
    return str((described.get("State") or {}).get("Status") or "?")
