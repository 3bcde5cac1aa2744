"""Every flag and every parser of the command is one of the new image's own package."""

from collections.abc import Iterable, Mapping

from chaos.registry import suggestion
from supervisor.engine.package import Parsers
from supervisor.rollout.command_line import VllmCommand, unknown_flags
from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Answer, Finding

FEW = 20
"""A package that declares fewer flags than this declares them in a way that is not known."""

ASKED = "the new image's own package has every flag and parser of the command"
_PARSERS = {
    "--tool-call-parser": ("tool", "tool-call parser"),
    "--reasoning-parser": ("reasoning", "reasoning parser"),
}
_PLUGINS = {
    "--tool-call-parser": "--tool-parser-plugin",
    "--reasoning-parser": "--reasoning-parser-plugin",
}


def check(facts: RolloutFacts) -> Iterable[Finding]:
    """Compare names; what a parser does with a model's text only a trial shows."""
    command = facts.command
    if facts.image is None:
        return
    if command is None:
        yield Finding(
            "flags",
            Answer.UNKNOWN,
            ASKED,
            "the command does not start vLLM, whose flags are the ones that can be read",
        )
        return
    package = facts.package
    if package is None or package.problem:
        why = package.problem if package is not None else "it could not be started"
        yield Finding("flags", Answer.UNKNOWN, ASKED, why, package.remedy if package else "")
    else:
        yield from _names(command, package, facts.spec.image)
    yield from _tool_flags(command, facts.old_command)


def _names(command: VllmCommand, package: Parsers, image: str) -> Iterable[Finding]:
    wrong = False
    if len(package.flags) >= FEW:
        for flag, meant in unknown_flags(command, package.flags):
            wrong = True
            yield Finding(
                "flags",
                Answer.REFUSED,
                ASKED,
                f"vLLM {package.version or ''} of {image} has no flag {flag}".replace("  ", " "),
                meant[:1].upper() + meant[1:] if meant.startswith("did") else "Leave it out.",
            )
    for flag, (kind, called) in _PARSERS.items():
        name = command.value(flag)
        offered: tuple[str, ...] = getattr(package, kind)
        if not name or not offered or _PLUGINS[flag] in command.flags or name in offered:
            continue
        wrong = True
        meant = suggestion(name, offered)
        yield Finding(
            "flags",
            Answer.REFUSED,
            ASKED,
            f"vLLM {package.version or ''} of {image} has no {called} {name!r}".replace("  ", " "),
            meant[:1].upper() + meant[1:],
        )
    if len(package.flags) < FEW and not wrong:
        why = f"vLLM {package.version or '?'} declares its flags in a way that is not known"
        yield Finding("flags", Answer.UNKNOWN, ASKED, why)
    elif not wrong:
        count = len(command.flags)
        known = f"{count} flag{'' if count == 1 else 's'}, all of vLLM {package.version or '?'}"
        yield Finding("flags", Answer.OK, ASKED, known)


def _tool_flags(command: VllmCommand, old: VllmCommand | None) -> Iterable[Finding]:
    """Tell when tool calls that worked will not: nothing else would, until a fallback."""
    before: Mapping[str, object] = old.flags if old is not None else {}
    lost = [
        flag
        for flag in ("--enable-auto-tool-choice", "--tool-call-parser")
        if flag in before and flag not in command.flags
    ]
    if lost:
        yield Finding(
            "flags",
            Answer.REFUSED,
            "tool calls that work go on working",
            f"the running engine has {' and '.join(lost)}, and the new command has not",
            f"Add: {' '.join(lost)} (with the parser of its model).",
        )
    elif "--enable-auto-tool-choice" in command.flags and not command.value("--tool-call-parser"):
        yield Finding(
            "flags",
            Answer.REFUSED,
            "vLLM starts",
            "--enable-auto-tool-choice without --tool-call-parser: vLLM ends at its start",
            "Add --tool-call-parser NAME.",
        )
