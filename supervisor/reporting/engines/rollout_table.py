"""Draw swaps of engines for people: a plan, what was staged, and where each stands."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from supervisor.age import ago
from supervisor.reporting.unbroken import Labelled, Rows, drawn_remedy
from supervisor.rollout.exchange.swap import Outcome, SwapReport
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.meanwhile import Cover, GroupCover
from supervisor.rollout.plan import Plan
from supervisor.rollout.stage import Serving, Staged
from supervisor.settings.values import duration_text
from supervisor.store.engines.patches import PatchLook
from supervisor.store.engines.rollouts import JournalRollout

_MARKS = {
    Answer.OK: ("ok", "green"),
    Answer.UNKNOWN: ("?", "cyan"),
    Answer.WARNING: ("warning", "yellow"),
    Answer.REFUSED: ("refused", "bold red"),
}
_TO_DO = {
    "staged": "Next: understudy rollout swap",
    "swapping": "It was interrupted: understudy rollout swap --resume, or rollback",
    "restoring": "It was interrupted: understudy rollout rollback",
    "stranded": "Next: understudy rollout rollback (where memory is missing: after a reboot)",
    "accepted": "Back: understudy rollout rollback",
}
_COVERS = {
    Cover.PROVEN: "green",
    Cover.ROUTED: "yellow",
    Cover.PRIMARY: "yellow",
    Cover.UNKNOWN: "cyan",
    Cover.NOBODY: "bold red",
}


def draw_plan(plan: Plan) -> RenderableType:
    """Draw a plan: what changes, what was asked, who serves meanwhile, and the sentence of it."""
    facts = plan.facts
    parts: list[RenderableType] = [
        Text(f"{facts.file.container}, the engine of {facts.file.engine}", style="bold")
    ]
    if plan.effective:
        now = "; ".join(f"{name} {value}" for name, value in plan.effective)
        parts.append(Text(f"Now: {now}"))
    parts += [Text(""), *_changes(plan), Text(""), _findings(plan.findings), Text("")]
    parts += [*_covers(plan), Text(""), verdict(plan)]
    return Group(*parts)


def _changes(plan: Plan) -> Iterable[RenderableType]:
    if plan.facts.running is None:
        return
    if not plan.changes:
        yield Text("Nothing would change: the new container is as the one that runs.")
        return
    table = Rows("what", "now", "then")
    for one in plan.changes:
        now = f"{one.now} (in effect {one.effective})" if one.effective else one.now
        table.add_row(one.what, now, Text(one.then, style="bold"))
    yield table


def _findings(findings: Sequence[Finding]) -> RenderableType:
    parts: list[RenderableType] = []
    width = max(len(word) for word, _ in _MARKS.values()) + 2
    for one in findings:
        word, style = _MARKS[one.answer]
        said = Text.assemble((f"{one.asked}: ", "dim"), one.came)
        parts.append(Labelled(Text(f"{word:{width}}", style=style), said))
        if one.remedy and one.answer is not Answer.OK:
            parts.append(drawn_remedy(one.remedy, width))
    return Group(*parts)


def _covers(plan: Plan) -> Iterable[RenderableType]:
    if plan.covers is None:
        yield Text(f"Who serves meanwhile is not known: {plan.why_not_asked}", style="yellow")
        return
    yield Text("Meanwhile, while this engine does not answer:")
    table = Rows("group", "served by", "shown by", prose={"shown by"})
    for one in plan.covers:
        table.add_row(one.group, Text(_by(one), style=_COVERS[one.cover]), one.why)
    yield table


def _by(one: GroupCover) -> str:
    if one.cover is Cover.NOBODY:
        return "nobody"
    if one.cover in (Cover.UNKNOWN, Cover.ROUTED):
        return f"{one.by or 'nobody'}?"
    return str(one.by)


def verdict(plan: Plan) -> Text:
    """Say the whole of a plan in a sentence or two."""
    if plan.refused:
        count = len(plan.refused)
        return Text(
            f"Refused: {count} thing{'s' if count > 1 else ''} cannot work. Nothing was touched.",
            style="bold red",
        )
    said = Text("It can be staged.", style="bold green")
    if plan.warnings:
        count = len(plan.warnings)
        said.append(f" {count} warning{'s' if count > 1 else ''}.", style="yellow")
    said.append(f" {downtime(plan)}", style="")
    return said


def downtime(plan: Plan) -> str:
    """Say how long the engine will be away, and what that means for users."""
    most = duration_text(timedelta(seconds=plan.most_s))
    long = (
        f"about {duration_text(timedelta(seconds=plan.away_s))} (its last start, and 15 s)"
        if plan.away_s is not None
        else f"up to {most}"
    )
    if plan.covers is None:
        return (
            f"This engine will be away for {long}, at most {most}; nothing shows who serves "
            "meanwhile, so a swap wants --accept-downtime."
        )
    if plan.uncovered:
        groups = ", ".join(one.group for one in plan.uncovered)
        return (
            f"Users of {groups} will be without an answer for {long}, at most {most}: a swap wants "
            "--accept-downtime."
        )
    return f"This engine will be away for {long}, at most {most}; others serve meanwhile."


def draw_staged(staged: Staged) -> RenderableType:
    """Draw what was staged."""
    parts: list[RenderableType] = [
        Text(f"Rollout {staged.name}", style="bold"),
        _findings(staged.findings),
        Text(""),
    ]
    if staged.container is None:
        parts.append(Text("Refused. What was made for it has been removed.", style="bold red"))
        return Group(*parts)
    parts.append(
        Text.assemble(
            ("Staged: ", "bold green"),
            f"the container {staged.container} is made, and not started. The old one serves on. "
            f"The way back is in {staged.folder / 'WAY-BACK.txt'}.",
        )
    )
    return Group(*parts)


def draw_report(report: SwapReport) -> RenderableType:
    """Draw how a swap, or a way back, ended."""
    parts: list[RenderableType] = [
        Text(f"Rollout {report.rollout}", style="bold"),
        _findings(report.findings),
        Text(""),
        *_felt(report),
        Text(""),
        _ended(report),
    ]
    return Group(*parts)


def _felt(report: SwapReport) -> Iterable[RenderableType]:
    if report.away_s is not None:
        own = (
            f", {report.start_s:.1f} s of that its start; the swap itself cost {report.own_s:.1f} s"
            if report.start_s is not None and report.own_s is not None
            else ""
        )
        yield Text(f"The engine was away for {report.away_s:.1f} s{own}.")
    served = report.served
    if served is None:
        return
    by = ", ".join(f"{count} by {name}" for name, count in served.by.items()) or "none"
    yield Text(f"Users ({served.asked}): {by} answered, {served.lost} lost.")
    if served.lost:
        yield Text(f"  Lost for {served.lost_s:.1f} s in all; the first got: {served.first_lost}")
    elif served.slowest_s:
        yield Text(f"  The longest wait was {served.slowest_s:.1f} s.")


def _ended(report: SwapReport) -> Text:
    if report.outcome is Outcome.ACCEPTED:
        said = Text("Accepted: the new engine serves. ", style="bold green")
        said.append("The old container is kept; back: understudy rollout rollback", style="")
        return said
    if report.outcome is Outcome.STRANDED:
        return Text(f"The old engine is not back: {report.trouble}", style="bold red")
    unwritten = f" Not all of it is written down: {report.trouble}" if report.trouble else ""
    if report.refused is None:
        return Text(f"The old engine serves again.{unwritten}", style="bold green")
    why = f"{report.refused.check}: {report.refused.came}"
    return Text(f"The old engine serves. Refused by {why}{unwritten}", style="bold red")


def draw_rollouts(
    rollouts: Sequence[JournalRollout],
    serving: dict[str, Serving],
    now: datetime,
    trouble: str = "",
) -> RenderableType:
    """Draw where each stands, the newest first.

    Args:
        serving: By rollout: what Docker says now; only of those that may still be swapped.
        trouble: Why Docker could not be asked.
    """
    if not rollouts:
        return Text(
            "No rollout yet. 'understudy rollout init --from-container NAME' writes the first file."
        )
    table = Rows("rollout", "engine", "state", "since", "now", prose={"now"})
    for one in rollouts:
        stands = _stands(one, serving.get(one.id), trouble)
        table.add_row(one.id, one.engine, one.state, ago(one.changed_at, now), stands)
    newest = rollouts[0]
    steps = [Text(f"Steps of {newest.id}:"), _steps(newest)]
    return Group(table, Text(""), *steps)


def draw_patches(looks: Sequence[PatchLook], names: Sequence[str]) -> RenderableType:
    """Draw what each file hides that is mounted over an image's own.

    Args:
        names: The containers that were looked at.
    """
    if not looks:
        return Text(f"No file is mounted over one of the image's own: {', '.join(names)}.")
    table = Rows("container", "over", "mounted", "found", prose={"found"})
    for one in looks:
        fits = Text("fits: the image's own file is the one that it was made for", style="green")
        found = Text(one.trouble, style="yellow") if one.trouble else fits
        table.add_row(one.container, one.target, one.source, found)
    if not any(one.trouble for one in looks):
        return table
    return Group(
        table,
        Text(""),
        Text(
            "Compare the files, make the patch anew or leave the mount out. If it is right as it "
            "is: understudy rollout patches --accept"
        ),
    )


def _stands(one: JournalRollout, serving: Serving | None, trouble: str) -> str:
    if serving is None:
        return trouble or str(one.row.get("why") or "")
    if serving.serving is None:
        said = f"no container is called {one.container}"
    else:
        which = {"old": "the old one", "new": "the new one"}.get(serving.which, "another one")
        said = f"{one.container} is {which} ({serving.serving})"
    others = [("the old one", serving.old, "old"), ("the new one", serving.new, "new")]
    for word, what, which in others:
        if which != serving.which:
            said += f"; {word}: {what or 'gone'}"
    todo = _TO_DO.get(one.state)
    return f"{said}. {todo}" if todo else said


def _steps(one: JournalRollout) -> RenderableType:
    table = Rows("step", "", "at", "why", prose={"why"})
    ends = {step.step: step for step in one.steps}
    for name, step in ends.items():
        style = {"done": "green", "failed": "bold red"}.get(step.state, "yellow")
        why = str(step.detail.get("why") or "")
        table.add_row(name, Text(step.state, style=style), f"{step.at:%H:%M:%S}", why)
    return Padding(table, (0, 0, 0, 2))
