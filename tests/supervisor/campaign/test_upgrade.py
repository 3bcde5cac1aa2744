"""What an upgrade changes: only what comes out otherwise twice, told by what it means."""

from collections.abc import Iterable

import pytest

from chaos.drill.report import DrillReport, DrillRow
from chaos.exit_code import ExitCode
from chaos.judge.check import Kind
from supervisor.campaign.upgrade import Change, What, alike, in_words, rehearse_upgrade
from tests.fakes.rows import finding, report, row

PASSED = row()
SKIPPED = row(kind=Kind.NEVER_TRIED, findings=(finding(Kind.NEVER_TRIED, "never asked"),))
BROKEN = row(kind=Kind.HOP_FAILED, findings=(finding(Kind.HOP_FAILED, "status 400"),))
UNHIT = row(kind=Kind.FAULT_NOT_HIT)
ELSEWHERE = PASSED.model_copy(
    update={"reply": PASSED.reply.model_copy(update={"served_by": "qwen"})}
)


@pytest.mark.parametrize(
    ("before", "after", "what", "words"),
    [
        (SKIPPED, PASSED, What.BETTER, "now falls back"),
        (BROKEN, PASSED, What.BETTER, "holds now, was hop_failed"),
        (PASSED, BROKEN, What.WORSE, "fails now: hop_failed"),
        (SKIPPED, BROKEN, What.OTHERWISE, "fails otherwise: hop_failed, was never_tried"),
        (PASSED, ELSEWHERE, What.OTHERWISE, "qwen answers, was gemma"),
        (PASSED, UNHIT, What.UNTOLD, "inconclusive, fault_not_hit, was passed"),
        (UNHIT, BROKEN, What.UNTOLD, "failed, hop_failed, was inconclusive, fault_not_hit"),
    ],
)
def test_a_change_is_named_by_what_it_means(before, after, what, words):
    """For whoever decides whether to upgrade."""
    change = Change(before, after)
    assert (change.what, change.words) == (what, words)


class Versions:
    """Two versions; each has a list of reports, of which the last one stays.

    Attributes:
        asked: What was drilled.
    """

    def __init__(self, old: list[Iterable[DrillRow]], new: list[Iterable[DrillRow]]) -> None:
        self._reports = {"1": list(old), "2": list(new)}
        self.asked: list[tuple[str, frozenset[str] | None]] = []

    async def drilled(self, version: str, keys: frozenset[str] | None) -> DrillReport:
        """Give the next report of a version."""
        self.asked.append((version, keys))
        known = self._reports[version]
        rows = known.pop(0) if len(known) > 1 else known[0]
        return report(*(one for one in rows if keys is None or one.scenario.key in keys))


async def found(old, new, **options):
    """What is found where version 1 gives the one and version 2 the other."""
    return await rehearse_upgrade(Versions(old, new).drilled, "1", "2", **options)


async def test_two_runs_that_come_out_alike_are_no_change():
    """Whatever the times were; nothing is drilled twice."""
    versions = Versions([[PASSED, row("gpt")]], [[row(), row("gpt")]])
    upgrade = await rehearse_upgrade(versions.drilled, "1", "2")
    assert (upgrade.changes, upgrade.drills, upgrade.exit_code) == ((), 2, ExitCode.OK)
    assert versions.asked == [("1", None), ("2", None)]
    assert in_words(upgrade).startswith("None of 2 drills comes out otherwise on LiteLLM 2")


async def test_what_passed_and_fails_fails_the_rehearsal():
    """It was drilled twice on both."""
    versions = Versions([[PASSED, row("gpt")]], [[BROKEN, row("gpt")]])
    upgrade = await rehearse_upgrade(versions.drilled, "1", "2")
    assert [one.what for one in upgrade.changes] == [What.WORSE]
    assert upgrade.exit_code is ExitCode.FAILED
    again = frozenset({PASSED.scenario.key})
    assert versions.asked[2:] == [("1", again), ("2", again)]
    assert "1 of 2 drills comes out otherwise" in in_words(upgrade)
    assert "1 passed and fail" in in_words(upgrade)


@pytest.mark.parametrize(
    ("old", "new"),
    [([[PASSED]], [[BROKEN], [PASSED]]), ([[PASSED], [BROKEN]], [[BROKEN]])],
    ids=["the new one varies", "the old one varies"],
)
async def test_what_varies_by_itself_is_no_change(old, new):
    """A model answers now so, now so; what the upgrade does to it cannot be told."""
    upgrade = await found(old, new)
    assert upgrade.changes == ()
    assert upgrade.unsteady == (PASSED.scenario.key,)
    assert upgrade.exit_code is ExitCode.INCONCLUSIVE


async def test_what_proves_nothing_on_either_version_is_no_agreement():
    """An engine that cannot be reached makes everything alike, and nothing shown."""
    unhit = row("gpt", kind=Kind.FAULT_NOT_HIT)
    upgrade = await found([[PASSED, unhit]], [[PASSED, unhit]])
    assert (upgrade.changes, upgrade.unproven) == ((), (row("gpt").scenario.key,))
    assert upgrade.exit_code is ExitCode.INCONCLUSIVE


async def test_worse_comes_first():
    """That is what one looks for."""
    mended = row("gpt")
    bad = row("gpt", kind=Kind.NEVER_TRIED, findings=(finding(Kind.NEVER_TRIED, "x"),))
    upgrade = await found([[bad, PASSED]], [[mended, BROKEN]])
    assert [one.what for one in upgrade.changes] == [What.WORSE, What.BETTER]


async def test_what_only_one_has_is_told():
    """A group that the new version does not load, say: that it holds nobody has shown."""
    upgrade = await found([[PASSED, row("gpt")]], [[PASSED]])
    assert upgrade.gone == (row("gpt").scenario.key,)
    assert upgrade.exit_code is ExitCode.INCONCLUSIVE


async def test_nothing_at_all_proves_nothing():
    """An empty comparison is no pass."""
    upgrade = await found([[]], [[]])
    assert upgrade.exit_code is ExitCode.INCONCLUSIVE
    assert in_words(upgrade) == "Nothing was drilled on both versions."


async def test_who_stops_it_gets_what_was_found():
    """Nothing is drilled again, and nothing that was not drilled is taken for missing."""
    versions = Versions([[SKIPPED, row("gpt")]], [[PASSED]])
    stops = iter([False, True, True, True])
    upgrade = await rehearse_upgrade(versions.drilled, "1", "2", stopped=lambda: next(stops))
    assert upgrade.exit_code is ExitCode.STOPPED
    assert (len(versions.asked), len(upgrade.changes), upgrade.gone) == (2, 1, ())


async def test_who_stops_it_at_the_first_version_waits_for_no_second():
    """There is nothing to compare."""
    versions = Versions([[PASSED]], [[PASSED]])
    upgrade = await rehearse_upgrade(versions.drilled, "1", "2", stopped=lambda: True)
    assert (upgrade.exit_code, len(versions.asked)) == (ExitCode.STOPPED, 1)


def test_changes_of_one_kind_are_told_once():
    """With their faults; each way of asking for itself."""
    rows = [(row(g, fault=f), g, f) for g in ("claude", "gpt") for f in ("billing", "quota")]
    changes = [
        Change(row(g, fault=f, kind=Kind.NEVER_TRIED, findings=SKIPPED.findings), now)
        for now, g, f in rows
    ]
    ((words, same),) = alike(changes)
    assert words == "chat_completions, whole, billing, quota: now falls back"
    assert len(same) == 4
