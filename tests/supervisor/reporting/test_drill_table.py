"""The report for people: every failure is in it, and why, on terminals of any width."""

import io

import pytest
from rich.console import Console

from chaos.judge.check import Kind
from supervisor.reporting.drill_table import (
    FOLD_OVER,
    MOST_ALIKE,
    draw,
    fault,
    lines_of,
    path,
    shape,
    table,
)
from tests.fakes.rows import failed, finding, hop, report, row

SENTENCE = "gemma was contacted and itself failed: status 400, “tool choice requires a flag”."


def printed(renderable, columns=160):
    """Print to a terminal that is *columns* wide."""
    file = io.StringIO()
    Console(file=file, width=columns, highlight=False).print(renderable)
    return file.getvalue()


def test_a_path_marks_the_hops_that_fail():
    """It ends with the hop that has to serve, or with the last that fails."""
    assert path(row()) == "✗claude → gemma"
    assert path(row(depth=2)) == "✗claude → ✗gemma"
    assert path(row(fallback=None)) == "✗claude"


def test_a_line_names_what_was_played_and_asked():
    """The usual surface goes without saying, streaming does not."""
    assert fault(row(fault="rate_limit")) == "rate_limit"
    assert shape(row()) == "chat"
    assert shape(row(shape="agent", stream=True)) == "agent streamed"
    assert shape(row(shape="agent.codex", client="codex")) == "agent.codex"
    assert shape(row(shape="agent", client="ours.yaml")) == "agent as ours.yaml"


def with_faults(drill, **played):
    """Let hops get other faults than the one that was asked for."""
    faults = {**drill.scenario.faults, **played}
    return drill.model_copy(
        update={"scenario": drill.scenario.model_copy(update={"faults": faults})}
    )


def test_a_fault_that_a_hop_did_not_get_is_said():
    """A hop whose provider knows no such failure fails otherwise, and nobody is misled."""
    other = with_faults(row(fault="overloaded", depth=2), gemma="server_error")
    assert fault(other) == "overloaded (gemma: server_error instead)"
    both = with_faults(other, claude="server_error")
    assert fault(both) == "overloaded (claude, gemma: server_error instead)"
    text = printed(draw(report(row(), other, other)))
    assert text.count("instead: that hop's dialect has no such fault.") == 1
    assert "instead" not in printed(draw(report(row())))


@pytest.mark.parametrize("asked", ["billing.once", "rate_limit.retry_after_20", "context_window"])
def test_a_variant_is_no_substitute(asked):
    """What was asked for was played, to its last word."""
    assert fault(row(fault=asked, depth=2)) == asked
    other = with_faults(row(fault="overloaded.once"), claude="server_error.once")
    assert fault(other) == "overloaded.once (claude: server_error.once instead)"


def test_a_wide_terminal_has_all_in_one_line():
    """Path, fault, shape, verdict, kind, why, seconds."""
    header, line, *_ = printed(table([failed(message=SENTENCE)]), 170).splitlines()
    assert header.split() == ["path", "fault", "shape", "verdict", "kind", "why", "s"]
    for part in ("✗claude → gemma", "billing", "chat", "failed", "hop_failed", SENTENCE, "0.25"):
        assert part in line


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_a_narrow_terminal_squeezes_no_sentence(columns):
    """Where there is no room beside the columns, the sentence stands below them, in full."""
    text = printed(table([failed(message=SENTENCE)]), columns)
    assert max(map(len, text.splitlines())) <= columns
    (start,) = [i for i, line in enumerate(text.splitlines()) if "gemma was contacted" in line]
    sentence = " ".join(line.strip() for line in text.splitlines()[start:])
    assert sentence == SENTENCE
    assert all(line.startswith("    ") for line in text.splitlines()[start:])


@pytest.mark.parametrize("columns", [80, 170])
def test_a_reason_is_not_repeated_line_after_line(columns):
    """Drills of one group that fail for one reason say it once."""
    alike = [failed(fault=name, message=SENTENCE) for name in ("billing", "rate_limit", "hang")]
    text = printed(table(alike), columns)
    assert text.count("gemma was contacted") == 1
    assert text.count("hop_failed") == 3
    both = printed(table([*alike, failed("gpt", SENTENCE)]), columns)
    assert both.count("gemma was contacted") == 2


def many(*others):
    """More drills than fit on a page, and some more."""
    return [*(row(fault=f"fault_{n}") for n in range(FOLD_OVER)), *others]


def test_a_long_table_folds_what_came_out_alike_and_nothing_else():
    """A failure is never hidden by what went well around it."""
    others = (
        *(failed("gpt"), failed("gpt", fault="hang"), failed("gpt", "something else")),
        *(failed("o3"), failed(known_gap="an issue"), row("gpt")),
    )
    lines = list(lines_of(many(*others)))
    assert [line.cells[3].plain for line in lines] == [
        f"{FOLD_OVER} passed",
        "2 failed",
        "failed",
        "failed",
        "known gap",
        "1 passed",
    ]
    assert [cell.plain for cell in lines[1].cells[1:3]] == ["billing, hang", "chat"]
    assert [line.why for line in lines[:3]] == ["", "gemma said no", "something else"]
    assert lines[0].cells[1].plain == f"{FOLD_OVER} faults"
    assert lines[0].cells[2].plain == "chat"


def test_a_short_table_folds_nothing():
    """Up to a page every drill has its line."""
    assert len(list(lines_of(many()))) == FOLD_OVER


def test_one_cause_of_one_path_is_a_line_in_a_short_table_too():
    """Of nine failures for one reason the ninth says nothing new."""
    few = [failed(fault=f"fault_{n}") for n in range(MOST_ALIKE)]
    assert len(list(lines_of(few))) == MOST_ALIKE
    (line,) = lines_of([*few, failed(fault="one more")])
    assert line.cells[3].plain == "9 failed"
    assert line.cells[4].plain == "hop_failed"


def test_a_known_gap_does_not_look_like_a_failure():
    """It is shown and counted as what it is."""
    gap = failed(known_gap="issue 12345")
    assert "known gap" in printed(table([gap]))
    text = printed(draw(report(gap)))
    assert "0 passed  1 known gap  " in text
    assert "issue 12345" in text


def test_the_report_ends_with_its_counts():
    """People look at the last line first."""
    last = printed(draw(report(row(), failed()))).splitlines()[-1]
    assert last.startswith("1 passed  1 failed  0 requests, 0 tokens, 0.00 USD, 1.5 s")
    assert last.endswith("LiteLLM 1.106.2")


def test_what_was_never_started_and_the_seed_are_in_the_last_line():
    """A run that was stopped is not a short one, and any can be replayed."""
    last = printed(draw(report(row(), planned=2597, seed=42))).splitlines()[-1]
    assert last.startswith("1 passed  2596 never started  0 requests")
    assert last.endswith("LiteLLM 1.106.2, seed 42")


def test_a_stand_in_s_pass_is_routed_and_never_served():
    """Nobody may read a stand-in's answer as a proof of the paid hop."""
    stood_in = row(hops=(hop("claude", "faulted"), hop("gemma", "stood_in")))
    reply = stood_in.reply.model_copy(update={"proof": "stand_in"})
    shown = printed(draw(report(stood_in.model_copy(update={"reply": reply}))))
    assert "routed to gemma; a stand-in answered in its place" in shown
    assert "1 passed (1 routed)" in shown
    assert "that it answers is not" in shown
    assert "served" not in shown
    real = printed(draw(report(row())))
    assert "gemma served" in real
    assert "routed" not in real


def test_what_others_wrote_is_no_markup():
    """Square brackets in a message stay square brackets."""
    odd = row(kind=Kind.HOP_FAILED, findings=(finding(Kind.HOP_FAILED, "[bold]x[/bold] [red]"),))
    assert "[bold]x[/bold] [red]" in printed(draw(report(odd)))


def test_the_model_that_stands_for_a_wildcard_is_said_first():
    """Only where it was drilled: who reads the table asked for the pattern."""
    standing = {"openai/*": "openai/gpt", "other/*": "other/x"}
    first, *others = printed(draw(report(row("openai/gpt"), wildcards=standing))).splitlines()
    assert first.strip() == "openai/gpt stands for the wildcard openai/*"
    assert not any("other/*" in line for line in others)


def test_the_key_and_what_it_may_not_ask_for_are_told():
    """What is proven for one key is proven for no other."""
    drilled = report(row())
    closed = {"gpt": "the key team-a may not ask for it"}
    gateway = drilled.gateway.model_copy(update={"as_key": "team-a", "closed": closed})
    text = printed(draw(drilled.model_copy(update={"gateway": gateway})))
    assert "Drilled as the key team-a." in text
    assert "Not covered: gpt, because the key team-a may not ask for it." in text
    assert "key" not in printed(draw(drilled))
