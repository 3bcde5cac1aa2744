"""Look whether any group can be drilled by any way: each item alone may be only a warning. Pure."""

from collections.abc import Iterable, Iterator

from supervisor.doctor.items import Item, Status, fail
from supervisor.settings.model import Settings

TWIN = (
    "Drill a twin, a second LiteLLM that is started from the same configuration: "
    "twin.litellm_config, or understudy drill --injector twin --litellm-config FILE"
)


def ways(items: Iterable[Item], settings: Settings) -> Iterator[Item]:
    """Fail if neither a redirect nor a twin is possible for one group.

    Args:
        items: All that was found; without a topology among it nothing can be said.
    """
    found = list(items)
    names = {item.name for item in found}
    if "litellm_version" not in names:
        return
    well = {item.name for item in found if item.status is Status.OK}
    injector = settings.drills.injector
    redirect = injector != "twin" and {"litellm_version", "permissions"} <= well
    twin = injector != "redirect" and settings.twin.litellm_config is not None and "twin" in well
    if redirect or twin:
        return
    yield fail(
        "ways",
        "not one model group can be drilled: "
        + " and ".join(filter(None, (_no_redirect(well, injector), _no_twin(settings, well)))),
        "\n".join(_remedies(found, settings, well)),
    )


def _no_redirect(well: set[str], injector: str) -> str:
    if injector == "twin":
        return "drills.injector allows no redirect"
    if "litellm_version" not in well:
        return "this LiteLLM cannot be redirected"
    return "no group permits the redirect to the witness"


def _no_twin(settings: Settings, well: set[str]) -> str:
    if settings.drills.injector == "redirect":
        return "drills.injector allows no twin"
    if settings.twin.litellm_config is None:
        return "no configuration for a twin is named"
    return "" if "twin" in well else "no twin can be started"


def _remedies(items: Iterable[Item], settings: Settings, well: set[str]) -> Iterator[str]:
    injector = settings.drills.injector
    if injector != "twin" and "litellm_version" in well:
        yield (
            "Write the lines that 'understudy init' prints into LiteLLM's configuration, and "
            "restart it."
        )
    elif injector != "twin":
        yield "Upgrade LiteLLM to a version that can be redirected."
    if injector == "redirect":
        yield "Or leave drills.injector at auto, and name a configuration for a twin."
    elif settings.twin.litellm_config is None:
        yield TWIN if injector == "twin" else f"Or: {TWIN}"
    yield from (item.remedy for item in items if item.name == "twin" and item.remedy)
