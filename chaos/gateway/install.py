"""Install a LiteLLM in an exact version, for a twin or a lab, into an environment of its own.

The version that Understudy is verified with is in ``litellm``, any other in ``litellm-VERSION``.
"""

from pathlib import Path

from packaging.version import InvalidVersion, Version

from chaos.errors import UsageError
from chaos.gateway.releases import LITELLM_VERSION, compromised, tried_versions
from chaos.process.environment import Environment, Say

CONSTRAINTS = Path(__file__).with_name("constraints")


def litellm_bin(directory: Path, version: str = LITELLM_VERSION) -> Path | None:
    """Find the ready LiteLLM under *directory*; None if it is missing, half made or outdated."""
    try:
        return _litellm(version).ready(directory)
    except UsageError:
        return None


def check_version(version: str) -> None:
    """Refuse what ``install_litellm`` would refuse, before anything is installed.

    Raises:
        UsageError: It is no version, or one that nobody should run.
    """
    _litellm(version)


async def install_litellm(directory: Path, version: str = LITELLM_VERSION, *, say: Say) -> Path:
    """Make sure that *directory* holds LiteLLM, and return its executable.

    Packages of a version that was never run here are whatever pip finds for it on that day.

    Raises:
        UsageError: It is no version, or one that nobody should run.
        SetupError: The environment could not be made; the message ends with pip's own words.
    """
    environment = _litellm(version)
    if environment.ready(directory) is None and version not in tried_versions():
        say(
            f"LiteLLM {version} was not run with this Understudy; those that were: "
            f"{', '.join(tried_versions())}"
        )
    return await environment.prepare(directory, say=say)


def _litellm(version: str) -> Environment:
    try:
        version = str(Version(version))
    except InvalidVersion as error:
        raise UsageError(
            f"{version!r} is no version of LiteLLM",
            remedy=f"Give one as the package index has it, such as {LITELLM_VERSION}.",
        ) from error
    known = compromised(version)
    if known is not None:
        raise UsageError(
            f"LiteLLM {version} is not installed: {known}",
            remedy="Take another version. If this one ran anywhere, exchange every key that its "
            "machine had.",
        )
    pinned = CONSTRAINTS / f"litellm-{version}.txt"
    tried = pinned.exists()
    return Environment(
        name="litellm" if version == LITELLM_VERSION else f"litellm-{version}",
        title=f"LiteLLM {version}",
        command="litellm",
        pip=(
            *(("--constraint", str(pinned)) if tried else ()),
            f"litellm[proxy]=={version}",
            "prometheus_client",
        ),
        versions=pinned if tried else CONSTRAINTS / f"litellm-{LITELLM_VERSION}.txt",
        remedy="See that pip reaches its package index from here (pip config list; "
        "HTTPS_PROXY), then try again.",
    )
