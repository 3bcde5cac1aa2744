"""Benchmarks, for people."""

import io

import pytest
from rich.console import Console

from supervisor.baseline.compare import compare
from supervisor.baseline.standing import speed_of
from supervisor.reporting.engines.benchmark_table import draw, draw_comparison, draw_list
from supervisor.web.answers.benchmarks import EngineSpeedAnswer
from tests.fakes.benchmarks import CONDITIONS, HOUR, TEXTS, benchmark, boot, run, runs
from tests.fakes.manual_clock import NOON

OTHERS = "other traffic: 2 requests were there before"
NEWER = CONDITIONS.model_copy(update={"version": "0.12.0", "arguments": {"max_num_seqs": 8}})


def lines(drawn):
    """What a wide file would get, line by line, without the blanks that fill a row."""
    page = Console(file=io.StringIO(), width=240, color_system=None, highlight=False)
    with page.capture() as captured:
        page.print(drawn)
    return [line.rstrip() for line in captured.get().splitlines()]


def line_of(drawn, first):
    """The words of the only line that begins with a word."""
    (found,) = [words for line in lines(drawn) if (words := line.split())[:1] == [first]]
    return found


def answer(*taken, engine="gemma"):
    """Show benchmarks of one engine as the API does."""
    return EngineSpeedAnswer.of(engine, speed_of(taken))


def compared(before_tps, after_tps, **changes):
    """Compare two boots of one configuration."""
    after = benchmark(id="b", boot=boot(1), runs=runs(after_tps), **changes)
    return compare(benchmark(id="a", runs=runs(before_tps)), after)


def test_each_text_is_a_line_with_its_figures():
    """Speed, the engine's own, spread, times in their units, and how many runs count."""
    drawn = draw(benchmark())
    shown = " ".join(line_of(drawn, "prose"))
    assert shown == "prose 1 50.0 50.2 2.0% 200.0 ms 20.0 ms 5.30 s 3 of 3"
    assert [line.split()[0] for line in lines(drawn)[4:]] == list(TEXTS)


def test_the_head_names_what_it_ran_on():
    """With units, the boot and a person's note; what is unknown is left out."""
    head, conditions = lines(draw(benchmark(note="before the upgrade")))[:2]
    assert head == "20260301-120000-aaaa: gemma, gemma-4"
    assert conditions == (
        "version 0.11.0; quantization fp8; context 32,768 tokens; "
        "started 2026-03-01 09:00:00 UTC; before the upgrade"
    )


def test_an_unknown_boot_is_shown_in_words():
    """A missing start is not taken for a known one."""
    assert "nobody knows when it was started" in lines(draw(benchmark(boot=None)))[1]


def test_several_at_once_show_their_total_and_each():
    """The engine's yield comes first, then a reader's speed."""
    taken = benchmark(runs=runs(40.0, ["prose"], concurrency=4, total_tps=150.0))
    assert line_of(draw(taken), "prose")[:5] == ["prose", "4", "150.0,", "40.0", "each"]


def test_a_text_without_a_trusted_run_has_dashes():
    """A doubtful speed is not shown as one."""
    drawn = draw(benchmark(runs=(*runs(50.0, ["prose"]), run("code", 9000.0, doubts=(OTHERS,)))))
    assert " ".join(line_of(drawn, "code")) == "code 1 - - - - - - 0 of 1"
    assert not any("9000" in line for line in lines(drawn))


def test_runs_that_are_not_counted_are_listed_once_with_how_often():
    """The same reason for the same text is one line, another text is another."""
    doubtful = [run(text, doubts=(OTHERS,)) for text in ("prose", "prose", "prose", "code")]
    shown = lines(draw(benchmark(runs=(*runs(), *doubtful))))
    assert shown[-3:] == [
        "Not counted (4 of 13 runs):",
        f"  prose: {OTHERS} (3 times)",
        f"  code: {OTHERS}",
    ]


def test_all_reasons_of_one_run_are_shown():
    """Fixing only the first would not make it count."""
    doubtful = run("prose", doubts=(OTHERS, "too few tokens: 9, at least 128 are needed"))
    shown = lines(draw(benchmark(runs=(doubtful,))))
    assert shown[-1] == f"  prose: {OTHERS}; too few tokens: 9, at least 128 are needed"


def test_where_all_runs_count_no_list_of_others_is_shown():
    """Its heading is missing too."""
    assert not any("Not counted" in line for line in lines(draw(benchmark())))


@pytest.mark.parametrize("engines", [[], [answer()]], ids=["no engine", "no benchmark"])
def test_an_empty_list_says_how_to_begin(engines):
    """Not an empty table."""
    (line,) = lines(draw_list(engines, NOON))
    assert line.startswith("No engine was measured yet.")
    assert "understudy bench run" in line


def test_the_list_has_the_newest_first_and_marks_the_baseline():
    """A person's benchmark is the baseline, the daemon's is not; what * means is below."""
    old = benchmark(id="old", taken_at=NOON - 2 * HOUR, note="before the upgrade")
    new = benchmark(id="new", taken_at=NOON - HOUR, taken_by="daemon", runs=runs(40.0))
    shown = lines(draw_list([answer(old, new)], NOON))
    assert [" ".join(line.split()) for line in shown[1:3]] == [
        "new gemma 1h ago daemon 40.0 09:00 0.11.0",
        "old gemma * 2h ago command 50.0 09:00 0.11.0 before the upgrade",
    ]
    assert shown[-1] == "* the baseline of its engine"


def test_a_boot_of_another_day_is_shown_by_its_day():
    """Its time alone would be taken for today's."""
    shown = lines(draw_list([answer(benchmark(id="a", boot=boot(30)))], NOON))
    assert "Feb 28" in shown[1]
    assert "06:00" not in shown[1]


def test_a_list_without_a_baseline_has_no_mark():
    """Figures of llama-benchy are listed, but nothing is compared with them."""
    shown = lines(draw_list([answer(benchmark(id="a", taken_by="llama-benchy", boot=None))], NOON))
    assert len(shown) == 2
    assert shown[1].split()[:2] == ["a", "gemma"]
    assert not any("*" in line for line in shown)


def test_a_benchmark_without_a_figure_is_listed_with_a_dash():
    """It was tried, so it is not left out."""
    failed = benchmark(id="a", runs=(run("prose", doubts=(OTHERS,)),))
    shown = line_of(draw_list([answer(failed)], NOON), "a")
    assert shown[:5] == ["a", "gemma", "now", "command", "-"]


def test_an_assumed_spread_of_boots_is_shown_as_assumed():
    """One boot of each shows nothing about boots, and the way out is named."""
    (sentence,) = [line for line in lines(draw_comparison(compared(50, 50))) if "Boots of" in line]
    assert "are assumed to differ by up to 15%" in sentence
    assert "(1 boot of A, 1 of B)" in sentence
    assert "start the engine anew and measure again" in sentence


def test_a_measured_spread_of_boots_is_shown_as_measured():
    """Three known boots of A are counted, and nothing is called an assumption."""
    known = [benchmark(id=f"a{n}", boot=boot(n), runs=runs(50.0 + n)) for n in (5, 6)]
    after = benchmark(id="b", boot=boot(1), conditions=NEWER)
    shown = lines(draw_comparison(compare(benchmark(id="a"), after, known)))
    (sentence,) = [line for line in shown if "Boots of" in line]
    assert sentence.endswith("as measured (3 boots of A, 1 of B).")
    assert not any("assumed" in line for line in shown)


@pytest.mark.parametrize(
    ("after_tps", "cell", "sentence"),
    [
        (100.0, "faster", "B is faster."),
        (25.0, "slower", "B is slower: a regression."),
        (51.0, "shown", "No difference is shown: it is smaller than what chance and boots"),
    ],
)
def test_the_verdict_is_a_word_for_each_text_and_a_sentence_for_all(after_tps, cell, sentence):
    """Both speeds are beside it."""
    drawn = draw_comparison(compared(50.0, after_tps))
    for text in TEXTS:
        words = line_of(drawn, text)
        assert words[1:3] == ["50.0", f"{after_tps:.1f}"]
        assert words[-1] == cell
    assert any(line.startswith(sentence) for line in lines(drawn))


def test_a_later_first_token_is_slower_though_the_speed_is_not():
    """Four times the wait makes the whole text slower."""
    after = benchmark(id="b", boot=boot(1), runs=runs(ttft_s=0.8))
    drawn = draw_comparison(compare(benchmark(id="a"), after))
    words = line_of(drawn, "prose")
    assert words[:4] == ["prose", "50.0", "50.0", "1.00\N{MULTIPLICATION SIGN},"]
    assert words.index("0.25\N{MULTIPLICATION SIGN},") > 3
    assert words[-1] == "slower"


def test_a_first_token_that_was_not_measured_is_a_dash():
    """It is not taken for an equal one."""
    after = benchmark(id="b", boot=boot(1), runs=runs(ttft_s=None))
    words = line_of(draw_comparison(compare(benchmark(id="a"), after)), "prose")
    assert words[-3:] == ["-", "not", "shown"]


def test_several_at_once_are_named_in_a_comparison():
    """And compared by their total."""
    before, after = (
        benchmark(id=name, runs=runs(40.0, ["prose"], concurrency=4, total_tps=total))
        for name, total in (("a", 150.0), ("b", 120.0))
    )
    words = line_of(draw_comparison(compare(before, after)), "prose,")
    assert words[:6] == ["prose,", "4", "at", "once", "150.0", "120.0"]


def test_both_sides_are_named_with_what_they_ran_on():
    """A comes first."""
    after = benchmark(id="b", conditions=NEWER)
    shown = lines(draw_comparison(compare(benchmark(id="a"), after)))
    assert shown[0] == "A  a: gemma, gemma-4"
    assert shown[1].startswith("   version 0.11.0;")
    assert shown[2] == "B  b: gemma, gemma-4"
    assert shown[3].startswith("   version 0.12.0;")


def test_changed_conditions_are_a_table_of_before_and_after():
    """Fields and the engine's own arguments; what is alike is not there."""
    after = benchmark(id="b", conditions=NEWER)
    shown = [line.split() for line in lines(draw_comparison(compare(benchmark(id="a"), after)))]
    start = shown.index(["changed", "A", "B"])
    assert shown[start + 1 :] == [["version", "0.11.0", "0.12.0"], ["--max-num-seqs", "4", "8"]]


def test_no_table_of_changes_where_nothing_changed():
    """Two boots of one configuration differ in nothing that was chosen."""
    assert not any(line.startswith("changed") for line in lines(draw_comparison(compared(50, 60))))


def test_remarks_are_notes_below_the_table():
    """What a reader must know before believing it."""
    doubtful = run("prose", doubts=(OTHERS,))
    after = benchmark(id="b", runs=(*runs(50.0, ["prose"]), doubtful))
    shown = lines(draw_comparison(compare(benchmark(id="a"), after)))
    assert [line for line in shown if line.startswith("note: ")] == [
        f"note: b: a run is not counted, of prose: {OTHERS}",
        "note: only one of the two has figures of: code, json",
    ]


def test_two_without_a_common_text_have_no_verdict():
    """A missing comparison is not 'no difference'."""
    after = benchmark(id="b", runs=runs(50.0, ["rivers"]))
    shown = lines(draw_comparison(compare(benchmark(id="a"), after)))
    assert "They have no text in common that both have figures of." in shown
    assert not any("No difference" in line or "Boots of" in line for line in shown)
