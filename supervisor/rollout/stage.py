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
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.docker_host import DockerHost, in_thread
from supervisor.rollout.facts import NEXT, RolloutFacts
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.journal import Journal, State
from supervisor.rollout.patches import extract
from supervisor.rollout.plan import Plan
from supervisor.store.store import Store

TRIAL = "-trial"


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
    try_it: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> Staged:
    """Stage what *plan* says; it must not be refused.

    Args:
        folder: Where rollouts keep their files; each gets one of its own.
        try_it: Start vLLM's renderer.

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
        },
    )
    findings: list[Finding] = []
    made: str | None = None
    try:
        async with journal.step("pin", image=facts.spec.image) as told:
            told |= {"id": image_id, "digest": digest_of(facts.image or {})}
        findings.append(_pinned(facts, image_id))
        await asyncio.to_thread(own.mkdir, parents=True, exist_ok=True, mode=0o700)
        findings += await _keep_patches(host, journal, facts, own)
        if try_it and facts.command is not None:
            findings += await _tried(host, journal, facts, spec, name, say)
        if any(one.answer is Answer.REFUSED for one in findings):
            await journal.become(State.REFUSED, why=_why(findings))
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
            State.STAGED,
            way_back=back,
            next={"name": made, "id": made_id, "image": image_id},
            findings=[f"{one.check}: {one.came}" for one in findings],
        )
    except BaseException as error:
        # Cancelled or failed: what was made goes, and the journal says so.
        if made is not None:
            await asyncio.shield(in_thread(host.remove, made))
        why = error.message if isinstance(error, SetupError) else type(error).__name__
        await asyncio.shield(journal.become(State.REFUSED, why=why))
        raise
    return Staged(name, tuple(findings), made, made_id, image_id, own)


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
        if one.state in (State.STAGED, State.STAGING) and one.id != name:
            await store.change_rollout(one.id, state=State.REPLACED, row={"by": name})


def _why(findings: list[Finding]) -> str:
    return "; ".join(one.came for one in findings if one.answer is Answer.REFUSED)


# --- where it stands ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Serving:
    """What a rollout's containers are at this moment, as Docker says.

    Attributes:
        serving: The container of that name: its id and status; None if there is none.
        old: It is the one that served when the rollout was staged.
        next: The staged one's status; None if it is gone.
    """

    serving: str | None = None
    old: bool = False
    next: str | None = None


def serving_now(host: DockerHost, row: dict[str, Any], container: str) -> Serving:
    """Look what serves, and whether the staged container is still there; blocking."""
    there = host.container(container)
    next_ = host.container(container + NEXT)
    old_id = (row.get("way_back") or {}).get("old_id")
    state = (there or {}).get("State") or {}
    return Serving(
        f"{there['Id'][:12]}, {state.get('Status')}" if there is not None else None,
        there is not None and (old_id is None or there.get("Id") == old_id),
        str((next_.get("State") or {}).get("Status")) if next_ is not None else None,
    )
