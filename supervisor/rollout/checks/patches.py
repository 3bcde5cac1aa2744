"""A mounted patch was made for the file that it replaces."""

from collections.abc import Iterable

from supervisor.rollout.facts import RolloutFacts
from supervisor.rollout.finding import Answer, Finding
from supervisor.rollout.patches import Patch


def check(facts: RolloutFacts) -> Iterable[Finding]:
    """Compare what each patch replaces in the old image and in the new one."""
    for one in facts.patches:
        yield _of(one, facts.file.patched_for.get(one.target))


def _of(one: Patch, made_for: str | None) -> Finding:
    asked = f"{one.source} was made for the image's own {one.target}"
    if one.after is None:
        return Finding(
            "patches",
            Answer.REFUSED,
            asked,
            f"the new image has no {one.target}: the patch would replace nothing",
            "Leave the mount out, or mount it where the new image has that file.",
        )
    if one.after == one.ours:
        return Finding(
            "patches",
            Answer.WARNING,
            asked,
            "the new image's own file is the same: the patch is in it already",
            "Leave the mount out.",
        )
    expected = made_for or one.before
    if one.after != expected:
        return Finding(
            "patches",
            Answer.REFUSED,
            asked,
            f"that file is another one in the new image ({one.after[:12]}…, "
            f"{'expected' if made_for else 'before'} {(expected or 'none')[:12]}…): "
            "the patch would bring the old one back",
            "Make the patch anew for it, and say so in the rollout file: "
            f"patched_for: {{{one.target}: {one.after}}}; or leave the mount out.",
        )
    return Finding("patches", Answer.OK, asked, f"{one.after[:12]}…, as it was made for")
