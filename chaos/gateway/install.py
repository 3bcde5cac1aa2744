"""Install a LiteLLM in an exact version, for a twin or a lab, into an environment of its own."""

from pathlib import Path

from chaos.process.environment import Environment, Say

LITELLM_VERSION = "1.106.2"
REQUIREMENTS = (f"litellm[proxy]=={LITELLM_VERSION}", "prometheus_client")
CONSTRAINTS = Path(__file__).with_name("litellm-constraints.txt")


def litellm_bin(directory: Path) -> Path | None:
    """Find the ready LiteLLM under *directory*; None if it is missing, half made or outdated."""
    return _litellm().ready(directory)


async def install_litellm(directory: Path, *, say: Say) -> Path:
    """Make sure that *directory* holds LiteLLM, and return its executable.

    Raises:
        SetupError: The environment could not be made; the message ends with pip's own words.
    """
    return await _litellm().prepare(directory, say=say)


def _litellm() -> Environment:
    return Environment(
        name="litellm",
        title=f"LiteLLM {LITELLM_VERSION}",
        command="litellm",
        pip=("--constraint", str(CONSTRAINTS), *REQUIREMENTS),
        versions=CONSTRAINTS,
        remedy="See that pip reaches its package index from here (pip config list; "
        "HTTPS_PROXY), then try again.",
    )
