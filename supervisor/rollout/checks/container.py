"""The container that serves now is there, and can come back after a stop."""

from collections.abc import Iterable

from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.origins.container import made_by_compose


def check(facts: RolloutFacts) -> Iterable[Finding]:
    """Ask for the container, and for what would take it away."""
    name, asked = facts.file.container, "a container that serves, and that stays when it is stopped"
    if facts.container is None or facts.state is None:
        yield Finding(
            "container",
            Answer.REFUSED,
            asked,
            f"there is no container {name!r}",
            "Name the one that serves, as 'docker ps --all' lists it.",
        )
        return
    if (facts.container.get("HostConfig") or {}).get("AutoRemove"):
        yield Finding(
            "container",
            Answer.REFUSED,
            asked,
            f"{name} was started with --rm: once stopped it is gone, and there is no way back",
            "Start it without --rm first (sparkrun: executor_config: {auto_remove: false}).",
        )
        return
    if not facts.state.running:
        yield Finding(
            "container",
            Answer.WARNING,
            asked,
            f"{name} does not run: {facts.state.status}, exit code {facts.state.exit_code}",
            f"If it should: docker start {name}",
        )
    else:
        yield Finding("container", Answer.OK, asked, f"{name} runs")
    if facts.not_read:
        yield Finding(
            "container",
            Answer.WARNING,
            "nothing that it has is lost",
            f"a rollout file has no word for {'; '.join(facts.not_read)}",
            "The new container will be without it.",
        )
    project = made_by_compose(facts.container)
    if project:
        yield Finding(
            "container",
            Answer.WARNING,
            "nobody else exchanges it",
            f"Compose made it ({project}), and its next 'up' makes what its own file says",
            "After the swap write the same image and command into the Compose file.",
        )
