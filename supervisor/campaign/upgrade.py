"""What an upgrade of LiteLLM changes: the same drills of one configuration on two versions.

Both are twins, so that nothing of the running gateway is touched. What comes out otherwise is
drilled once more on both; only what stays so is told as a change.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from chaos.drill.report import DrillReport, DrillRow
from chaos.exit_code import ExitCode
from chaos.judge.check import Kind
from chaos.judge.verdict import Outcome
from chaos.naming import some_of

Drilled = Callable[[str, frozenset[str] | None], Awaitable[DrillReport]]
"""Drills a version; only the scenarios of these keys, unless they are None."""


class What(StrEnum):
    """What became of one path. Worse first, as it is told."""

    WORSE = "worse"
    """It passed, and fails."""

    OTHERWISE = "otherwise"
    """It fails as before, but in another way; or another hop answers."""

    UNTOLD = "untold"
    """One of the two proves nothing."""

    BETTER = "better"
    """It failed, and passes."""


@dataclass(frozen=True, slots=True)
class Change:
    """One scenario that does not come out as before."""

    before: DrillRow
    after: DrillRow

    @property
    def what(self) -> What:
        """Say whether that is good or bad."""
        was, is_ = self.before.outcome, self.after.outcome
        if not {was, is_} <= {Outcome.PASSED, Outcome.FAILED}:
            return What.UNTOLD
        if was is is_:
            return What.OTHERWISE
        return What.WORSE if is_ is Outcome.FAILED else What.BETTER

    @property
    def words(self) -> str:
        """Say it in a few words."""
        was, is_ = self.before, self.after
        if self.what is What.BETTER:
            return (
                "now falls back" if was.kind is Kind.NEVER_TRIED else f"holds now, was {was.kind}"
            )
        if self.what is What.WORSE:
            return f"fails now: {is_.kind}"
        if is_.outcome is was.outcome is Outcome.PASSED:
            return f"{is_.reply.served_by} answers, was {was.reply.served_by}"
        if self.what is What.OTHERWISE:
            return f"fails otherwise: {is_.kind}, was {was.kind}"
        return f"{_told(is_)}, was {_told(was)}"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What a rehearsal of an upgrade has found.

    Attributes:
        before: The version that runs.
        after: The new one.
        drills: How many scenarios were drilled on both.
        unsteady: Keys of those that came out otherwise once, and then as before.
        gone: Keys that only one of the two has.
        unproven: Keys of those that prove nothing on either version: that is no agreement.
        stopped: It was broken off.
    """

    before: str
    after: str
    drills: int
    changes: tuple[Change, ...]
    unsteady: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    stopped: bool = False

    def of(self, what: What) -> tuple[Change, ...]:
        """List the changes of one kind."""
        return tuple(one for one in self.changes if one.what is what)

    @property
    def exit_code(self) -> ExitCode:
        """Fail where something that passed fails; inconclusive where it cannot be told."""
        if self.of(What.WORSE):
            return ExitCode.FAILED
        if self.stopped:
            return ExitCode.STOPPED
        untold = self.of(What.UNTOLD) or self.gone or self.unproven or self.unsteady
        return ExitCode.INCONCLUSIVE if untold or not self.drills else ExitCode.OK


async def rehearse_upgrade(
    drilled: Drilled,
    before: str,
    after: str,
    *,
    stopped: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda _: None,
) -> Upgrade:
    """Drill both versions and compare."""
    say(f"LiteLLM {before}:")
    first = await drilled(before, None)
    if stopped():
        return Upgrade(before, after, 0, (), stopped=True)
    say(f"LiteLLM {after}:")
    second = await drilled(after, None)
    old, new = _by_key(first), _by_key(second)
    both = [key for key in old if key in new]
    # Who stopped it knows that the rest is missing.
    gone = () if stopped() else tuple(key for key in {**old, **new} if key not in both)
    changes = [Change(old[key], new[key]) for key in both if _comes(old[key]) != _comes(new[key])]
    unsteady: list[str] = []
    if changes and not stopped():
        say(f"{len(changes)} come out otherwise: they are drilled once more on both")
        keys = frozenset(one.before.scenario.key for one in changes)
        old_again = _by_key(await drilled(before, keys))
        new_again = _by_key(await drilled(after, keys))
        unsteady = [
            key
            for key in sorted(keys)
            if not (_same(old, old_again, key) and _same(new, new_again, key))
        ]
    unproven = tuple(key for key in both if not {old[key].outcome, new[key].outcome} & _PROVES)
    order = list(What)
    steady = [one for one in changes if one.before.scenario.key not in unsteady]
    return Upgrade(
        before,
        after,
        len(both),
        tuple(sorted(steady, key=lambda one: order.index(one.what))),
        tuple(unsteady),
        gone,
        unproven,
        stopped(),
    )


def alike(changes: Sequence[Change]) -> Iterator[tuple[str, tuple[Change, ...]]]:
    """Gather changes of one kind on one surface: each in words, with those that it is about."""
    found: dict[tuple[str, str, bool], list[Change]] = {}
    for one in changes:
        scenario = one.before.scenario
        found.setdefault((one.words, scenario.surface, scenario.stream), []).append(one)
    for (words, surface, stream), same in found.items():
        way = f"{surface}, {'streamed' if stream else 'whole'}"
        faults = some_of((one.before.scenario.fault for one in same), 4)
        yield f"{way}, {faults}: {words}", tuple(same)


def in_words(upgrade: Upgrade) -> str:
    """Say the whole of it in a sentence."""
    count = len(upgrade.changes)
    if not upgrade.drills:
        return "Nothing was drilled on both versions."
    if not count:
        return (
            f"None of {upgrade.drills} drills comes out otherwise on LiteLLM {upgrade.after} than "
            f"on {upgrade.before}."
        )
    parts = [f"{len(found)} {_NAMES[what]}" for what in What if (found := upgrade.of(what))]
    return (
        f"{count} of {upgrade.drills} drills come{'s' if count == 1 else ''} out otherwise on "
        f"LiteLLM {upgrade.after} than on {upgrade.before}: {', '.join(parts)}."
    )


_NAMES: Mapping[What, str] = {
    What.WORSE: "passed and fail",
    What.OTHERWISE: "in another way",
    What.UNTOLD: "cannot be told",
    What.BETTER: "failed and pass",
}


_PROVES = frozenset({Outcome.PASSED, Outcome.FAILED})


def _by_key(report: DrillReport) -> dict[str, DrillRow]:
    return {row.scenario.key: row for row in report.drills}


def _comes(row: DrillRow) -> tuple[object, ...]:
    """Say what two drills share that come out alike; times and words may differ."""
    return row.outcome, row.kind, row.reply.served_by


def _same(first: Mapping[str, DrillRow], again: Mapping[str, DrillRow], key: str) -> bool:
    return key in again and _comes(first[key]) == _comes(again[key])


def _told(row: DrillRow) -> str:
    return f"{row.outcome.value}, {row.kind.value}" if row.kind else row.outcome.value
