"""For whom LiteLLM leaves out what a hop does not take, without being told to. Pure."""

import re

from packaging.version import InvalidVersion, Version

_AGENTS = re.compile(r"claude-(cli|code)/|(?i:codex[-_ /])")
_SINCE = Version("1.103.0")
"""The oldest release that was seen to do so."""


def drops_for(user_agent: str, version: str) -> bool:
    """Tell whether a LiteLLM of *version* drops parameters for this caller by itself.

    An unknown version is taken for a new one. ``drop_params: false`` changes nothing: LiteLLM
    looks for it in a mapping that it does not take for one.

    Source: ``should_auto_drop_params_for_agentic_cli``, run on 1.103.0, 1.106.2 and 1.108.6;
    1.82.6 has none.
    """
    try:
        new = Version(version) >= _SINCE
    except InvalidVersion:
        new = True
    return new and _AGENTS.match(user_agent) is not None
