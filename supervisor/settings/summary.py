"""Say in plain sentences what a configuration means, without its secrets. Pure."""

from collections.abc import Iterator
from datetime import date

from chaos.scenario.expectation import Expected
from supervisor.settings.model import GatewaySettings, Settings
from supervisor.settings.values import Secret, duration_text


def meaning(settings: Settings) -> Iterator[str]:
    """Say what *settings* mean, a sentence for each part."""
    gateway, witness, drills = settings.gateway, settings.witness, settings.drills
    yield f"The gateway is at {gateway.url}." if gateway.url else "No gateway is named."
    yield from _keys(gateway)
    yield f"The witness listens on {', '.join(witness.listen)}; LiteLLM dials {witness.url}."
    yield (
        f"A run drills the {drills.profile} profile by {drills.injector}, {drills.concurrency} at "
        f"once, {drills.deadline_s:g} s a drill."
    )
    paid = "are called with real keys" if drills.real_keys else "are answered by a stand-in"
    yield f"Paid hops that must serve {paid}; a run may spend {drills.budget_usd:.2f} USD."
    if settings.twin.litellm_config is not None:
        yield f"A twin is started from {settings.twin.litellm_config}."
    yield from _engines(settings)
    for prefix, url in settings.providers.items():
        yield f"The provider {prefix} is really at {url}."
    for pattern, model in settings.wildcards.items():
        yield f"The wildcard {pattern} is drilled as {model}."
    yield from _daemon(settings)
    for entry in settings.accept:
        yield f"Failures of {entry.scenario} are accepted until {entry.until}: {entry.reason}."
    for expected in settings.expect:
        yield f"Drills of {expected.scenario} should {_END[expected.outcome]}: {expected.reason}."


def _engines(settings: Settings) -> Iterator[str]:
    for name, engine in settings.engines.items():
        yield f"The engine of {name} is at {engine.url}, and costs nothing."
        if engine.container is not None:
            yield f"Docker is asked about the engine of {name}: container {engine.container}."
        if engine.log is not None:
            yield f"The log of the engine of {name} is read from {engine.log}."
        if engine.python is not None:
            yield f"The parsers of the engine of {name} are listed with {engine.python}."
        if engine.key is not None:
            yield f"The engine of {name} is asked with the key in {_place(engine.key)}."


def _keys(gateway: GatewaySettings) -> Iterator[str]:
    if gateway.key is not None:
        yield f"Drills are sent with the key in {_place(gateway.key)}."
    if gateway.admin_key is not None:
        yield f"The topology is read with the key in {_place(gateway.admin_key)}."
    if gateway.as_key is not None:
        yield f"The drill command drills as the virtual key in {_place(gateway.as_key)}."


def warnings(settings: Settings, today: date) -> Iterator[str]:
    """Say what is valid and has no effect any more."""
    for number, entry in enumerate(settings.accept):
        if entry.until < today:
            yield (
                f"accept[{number}].until: failures of {entry.scenario} have not been accepted "
                f"since {entry.until}; remove the entry, or give it another day."
            )


def _daemon(settings: Settings) -> Iterator[str]:
    """Say what the daemon would do."""
    rehearse, schedule, budget = settings.rehearse, settings.schedule, settings.budget
    if rehearse.enabled:
        yield (
            f"The daemon proves every path within {duration_text(rehearse.target)}, and within "
            f"{duration_text(rehearse.critical_target)} where the group is critical."
        )
    else:
        yield "The daemon drills nothing by itself."
    if schedule.windows:
        yield f"It drills in {'; '.join(schedule.windows)} ({schedule.time_zone})."
    if schedule.blackouts:
        yield f"It drills nothing in {'; '.join(schedule.blackouts)} ({schedule.time_zone})."
    money = "any amount of money" if budget.usd is None else f"{budget.usd:.2f} USD"
    yield f"Its drills of a day may spend {money}."
    yield f"Its API answers at {', '.join(settings.web.listen)}."


_END = {
    Expected.SERVED: "be served",
    Expected.REFUSED: "be refused, without asking a fallback",
    Expected.ERROR: "end in one well-formed error",
}


def _place(secret: Secret) -> str:
    if secret.env is None:
        return f"file {secret.file}"
    # A key that was written where its variable's name belongs must not be repeated.
    return f"${secret.env}" if secret.env.isidentifier() else "a variable that cannot be"
