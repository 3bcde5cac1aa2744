"""What the wire saw of failures, told once for each cause."""

import io

from rich.console import Console, Group

from chaos.drill.drill import DEFECT
from chaos.drill.report import ReplyRow, SequenceRow
from chaos.judge.check import Kind, Result
from chaos.judge.verdict import Outcome
from chaos.scenario.expectation import Expected
from supervisor.reporting.drill_details import cause, details, why
from supervisor.reporting.drill_table import path
from tests.fakes.rows import failed, finding, hop, row


def printed(*rows):
    """Print the blocks below a table."""
    file = io.StringIO()
    Console(file=file, width=120, highlight=False).print(Group(*details(rows)))
    return file.getvalue()


def test_a_block_tells_hops_client_finding_and_remedy():
    """All that one needs to mend it, in the order of the chain."""
    assert printed(failed()).split("\n") == [
        "",
        "failed hop_failed  claude/general/1/billing/chat/chat_completions/whole",
        "  claude: made to fail (billing), status 500",
        "  gemma: failed by itself, status 400",
        "  client: status 500 after 0.25 s",
        "  hop_held: gemma said no",
        "    → Mend it.",
        "",
    ]


def test_what_passed_has_no_block():
    """Only what went wrong is told at length."""
    assert printed(row()).strip() == ""


def test_one_cause_is_one_block_with_one_key():
    """Forty failures with one cause are not forty blocks; the JSON has all keys."""
    groups = [f"model-{n}" for n in range(40)]
    text = printed(*(failed(name, f"{name} fell, and gemma said no") for name in groups))
    assert text.count("→ Mend it.") == 1
    assert "the same in 40 groups × billing × chat × whole" in text
    assert text.count("/general/1/billing") == 1


def test_different_causes_are_told_apart():
    """Another kind, another message of the hop, or another remedy is another cause."""
    a = failed()
    other_message = failed(message="gemma said maybe")
    other_remedy = failed().model_copy(
        update={"findings": (finding(Kind.HOP_FAILED, "gemma said no", remedy="Pray."),)}
    )
    inconclusive = failed().model_copy(update={"outcome": Outcome.INCONCLUSIVE})
    causes = {cause(r) for r in (a, other_message, other_remedy, inconclusive)}
    assert len(causes) == 4
    assert cause(a) == cause(failed("gpt", stream=True))


def test_seconds_and_nonces_make_no_other_cause():
    """They differ in every drill."""
    slow = [
        failed(message=f"gemma took {s} s to say {n}")
        for s, n in (("4.1", "0badcafe"), ("4.25", "3fa91c02"))
    ]
    assert cause(slow[0]) == cause(slow[1])


def test_the_injected_error_is_no_part_of_the_cause():
    """A group without fallbacks has one problem, whichever fault showed it."""
    alone = [
        row(
            fallback=None,
            kind=Kind.NO_FALLBACK,
            fault=name,
            findings=(
                finding(Kind.NO_FALLBACK, f"alone: status {status}, “{name}”.", hop="claude"),
            ),
        )
        for name, status in (("billing", 400), ("rate_limit", 429))
    ]
    assert cause(alone[0]) == cause(alone[1])
    assert "status 400, “billing”" in printed(*alone)


def test_a_drill_that_was_not_sent_shows_no_wire():
    """Nobody is told that hops were never contacted when nothing was asked of them."""
    reason = finding(Kind.ENGINE_BUSY, "users wait", check="may_run")
    nothing = ReplyRow(
        status=None, ttft_s=None, total_s=None, served_by=None, claimed_by=None, proof=None
    )
    hops = (hop("claude", "skipped"), hop("gemma", "skipped"))
    refused = row(kind=Kind.ENGINE_BUSY, findings=(reason,), hops=hops, reply=nothing)
    text = printed(refused)
    assert "never contacted" not in text
    assert "client:" not in text
    assert "users wait" in text


def test_where_nothing_was_proven_only_the_reason_is_told():
    """A gateway that is down has no problem with its fallbacks."""
    findings = (
        finding(Kind.GATEWAY_DOWN, "nobody answers", result=Result.UNKNOWN),
        finding(Kind.NEVER_TRIED, "no hop was contacted"),
    )
    text = printed(row(kind=Kind.GATEWAY_DOWN, findings=findings))
    assert "nobody answers" in text
    assert "no hop was contacted" not in text


def test_a_skipped_hop_is_named():
    """The line that people look for first."""
    skipped = row(
        kind=Kind.NEVER_TRIED,
        findings=(finding(Kind.NEVER_TRIED, "no"),),
        hops=(
            hop("claude", "faulted", attempts=3),
            hop("gemma", "skipped"),
            hop("other", "skipped"),
        ),
    )
    text = printed(skipped)
    assert "gemma: never contacted" in text
    assert "other: not contacted" in text
    assert "claude: made to fail (billing), status 500, 3 attempts" in text


def test_why_is_one_sentence():
    """A pass names who served; a failure its deciding finding; long quotes are cut."""
    assert why(row()) == "gemma served"
    assert why(row(depth=2)) == "everything down: one honest error, in time"
    assert why(failed()) == "gemma said no"
    assert why(failed(message=f"it said “{'x' * 300}”.")) == f"it said “{'x' * 100}…”."
    assert why(row().model_copy(update={"outcome": Outcome.ABORTED})) == "broken off"


def test_what_broke_a_drill_off_is_told_with_its_remedy():
    """A defect of ours is not "broken off", and what no check came to is not told beside it."""
    unknown = finding(Kind.HOP_FAILED, "nothing seen", result=Result.UNKNOWN)
    ours = finding(None, "The drill broke off: KeyError at x.py:3.", check=DEFECT)
    drill = row(outcome=Outcome.ABORTED, findings=(unknown, ours))
    assert why(drill) == "The drill broke off: KeyError at x.py:3."
    text = printed(drill)
    assert "defect: The drill broke off: KeyError at x.py:3." in text
    assert "→ Mend it." in text
    assert "nothing seen" not in text


def test_keys_and_remedies_can_be_copied_from_a_narrow_terminal():
    """Both are one line; the terminal breaks them, and copies them whole."""
    remedy = "Start it with --enable-auto-tool-choice --tool-call-parser hermes."
    drill = failed().model_copy(
        update={"findings": (finding(Kind.HOP_FAILED, "no", remedy=remedy),)}
    )
    file = io.StringIO()
    Console(file=file, width=40, highlight=False).print(Group(*details([drill])), crop=False)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert f"    → {remedy}" in lines
    assert f"failed hop_failed  {drill.scenario.key}" in lines


def test_a_refusal_that_was_expected_says_so():
    """It passed, and no hop served."""
    closed = row(expected=Expected.REFUSED)
    assert why(closed) == "refused, as the settings expect"
    assert why(row(expected=Expected.ERROR)) == "one honest error, as the settings expect"
    assert path(closed) == "✗claude → refused"


def test_an_outage_is_told_by_what_was_lost_in_it():
    """An honest error where nobody can serve is no answer, and nothing lost either."""
    sequence = SequenceRow(
        down_s=3,
        requests=10,
        lost=2,
        requests_down=6,
        lost_down=0,
        errors=5,
        attempts_down=3,
        extra_wait_s=0.1,
        most_extra_wait_s=0.7,
        back_after_s=1.2,
        order=("gemma", "claude"),
        took_s=4.7,
    )
    told = " ".join(printed(failed().model_copy(update={"sequence": sequence})).split())
    assert "0 of 6 requests lost in it, 5 told that every hop was down, up to 0.7 s longer" in told
    assert "3 attempts at the primary; back: 1.2 s after it (then served: gemma, claude)" in told
