"""Fallbacks that stand where LiteLLM does not look."""

from collections.abc import Iterable

from chaos.registry import suggestion
from supervisor.audit.finding import Audited, AuditFinding

LISTS = (
    "fallbacks",
    "default_fallbacks",
    "context_window_fallbacks",
    "content_policy_fallbacks",
)
READ_IN = ("router_settings", "litellm_settings")
NOT_LISTS = frozenset({"max_fallbacks", "disable_fallbacks"})


def fallbacks_in_wrong_section(audited: Audited) -> Iterable[AuditFinding]:
    """The configuration file has a list of fallbacks in a section that LiteLLM ignores.

    Source: LiteLLM 1.106.2, run: other sections and misspelt keys are ignored, and a list in
    ``router_settings`` replaces the one in ``litellm_settings`` whole.
    """
    config = audited.config or {}
    for section in config:
        if section in LISTS:
            yield _finding(section, "", f"Move {section}: below router_settings:")
        for key in audited.section(section):
            if section not in READ_IN and key in LISTS:
                yield _finding(key, section, f"Move {section}.{key} below router_settings:")
            elif section in READ_IN and _misspelt(key):
                remedy = f"Mend the key {key!r} in {section}; {suggestion(key, LISTS)}"
                yield _finding(key, section, remedy)
    for key in LISTS:
        if all(audited.section(section).get(key) for section in READ_IN):
            yield _finding(
                key,
                "litellm_settings",
                f"Move its entries into router_settings.{key}, which hides it.",
            )


def _misspelt(key: str) -> bool:
    return "fallback" in key and key not in LISTS and key not in NOT_LISTS


def _finding(key: str, section: str, remedy: str) -> AuditFinding:
    place = f"{section}.{key}" if section else key
    return AuditFinding(
        code="fallbacks_in_wrong_section",
        severity="error",
        subject=place,
        message=f"{place} in LiteLLM's configuration is ignored: LiteLLM does not read it there",
        remedy=remedy,
    )
