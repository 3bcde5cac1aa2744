"""LiteLLM's releases: which were run, and which nobody should."""

from importlib import resources

from packaging.version import InvalidVersion, Version

LITELLM_VERSION = "1.106.2"
"""The one that Understudy is verified with: the lab's, and a twin's if nothing else is said."""

COMPROMISED = {
    "1.82.7": "BerriAI/litellm#24512: it sent keys and credentials of the machine away",
    "1.82.8": "BerriAI/litellm#24512: it sent keys and credentials of the machine away, whenever "
    "any Python of that environment was started",
    "1.107.0": "it is reported to carry malware, and was taken off the package index",
}
"""Releases on the package index that carried malware, and what is known of each."""

_PREFIX, _SUFFIX = "litellm-", ".txt"


def tried_versions() -> tuple[str, ...]:
    """List the versions whose packages are pinned here, because they were run; the oldest first."""
    names = (
        file.name for file in resources.files("chaos.gateway").joinpath("constraints").iterdir()
    )
    found = [
        name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
        for name in names
        if name.startswith(_PREFIX) and name.endswith(_SUFFIX)
    ]
    return tuple(sorted(found, key=Version))


def compromised(version: str) -> str | None:
    """Say what is known against a release; None if nothing is."""
    try:
        public = Version(version).public
    except InvalidVersion:
        return None
    return COMPROMISED.get(public)
