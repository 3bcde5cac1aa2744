"""A comparison of two benchmarks, for programs."""

import json

import pytest

from supervisor.baseline.compare import compare
from supervisor.reporting.engines.benchmark_json import comparison_json
from tests.fakes.benchmarks import CONDITIONS, TEXTS, benchmark, boot, run, runs

NEWER = CONDITIONS.model_copy(update={"version": "0.12.0"})


def written(before, after, known=()):
    """Compare, write, and read as another program would."""
    return json.loads(comparison_json(compare(before, after, known)))


def test_it_names_its_schema_both_sides_and_the_verdict():
    """A is the first that was given."""
    content = written(benchmark(id="a"), benchmark(id="b", boot=boot(1), runs=runs(25.0)))
    assert content["schema"] == "understudy/benchmark-comparison/1"
    assert (content["a"], content["b"]) == ("a", "b")
    assert content["verdict"] == "slower"


def test_each_text_is_a_row_with_both_speeds_and_its_interval():
    """The ratio is B by A, inside its bounds."""
    content = written(benchmark(id="a"), benchmark(id="b", boot=boot(1), runs=runs(100.0)))
    assert [(row["text"], row["concurrency"]) for row in content["rows"]] == [
        (text, 1) for text in TEXTS
    ]
    for row in content["rows"]:
        assert row["a_tokens_per_s"] == pytest.approx(50.0)
        assert row["b_tokens_per_s"] == pytest.approx(100.0)
        speed = row["speed"]
        assert speed["ratio"] == pytest.approx(2.0)
        assert speed["low"] < speed["ratio"] < speed["high"]
        assert speed["verdict"] == "faster"


def test_a_first_token_has_the_shape_of_a_speed():
    """Half the wait is a ratio of two, which is faster."""
    content = written(benchmark(id="a"), benchmark(id="b", runs=runs(ttft_s=0.1)))
    first = content["rows"][0]["first_token"]
    assert set(first) == {"ratio", "low", "high", "verdict"}
    assert first["ratio"] == pytest.approx(2.0)
    assert first["verdict"] == "faster"


def test_a_first_token_that_was_not_measured_is_null():
    """The key is present in every row."""
    content = written(benchmark(id="a"), benchmark(id="b", runs=runs(ttft_s=None)))
    assert [row["first_token"] for row in content["rows"]] == [None, None, None]


def test_an_assumed_spread_of_boots_is_marked():
    """With one boot of each configuration nothing was measured."""
    content = written(benchmark(id="a"), benchmark(id="b", conditions=NEWER))
    assert content["boots"] == {"a": 1, "b": 1}
    assert content["boot_spread_assumed"] is True
    assert content["boot_spread_ratio"] == pytest.approx(0.15)


def test_a_measured_spread_of_boots_is_not_called_assumed():
    """Two boots of A that are alike make the spread smaller than what is assumed."""
    known = [benchmark(id="a2", boot=boot(9))]
    content = written(benchmark(id="a"), benchmark(id="b", conditions=NEWER), known)
    assert content["boots"] == {"a": 2, "b": 1}
    assert content["boot_spread_assumed"] is False
    assert content["boot_spread_ratio"] < 0.15


def test_what_changed_is_listed_with_both_values():
    """And what did not change is not."""
    content = written(benchmark(id="a"), benchmark(id="b", conditions=NEWER))
    assert content["changed"] == [{"what": "version", "a": "0.11.0", "b": "0.12.0"}]


def test_remarks_are_sentences():
    """Those that people read, in their order."""
    doubtful = run("prose", doubts=("the engine was started anew meanwhile",))
    after = benchmark(id="b", runs=(*runs(50.0, ["prose"]), doubtful))
    assert written(benchmark(id="a"), after)["remarks"] == [
        "b: a run is not counted, of prose: the engine was started anew meanwhile",
        "only one of the two has figures of: code, json",
    ]


def test_two_without_a_common_text_have_no_rows():
    """The document is complete, and its verdict is that no difference is shown."""
    content = written(benchmark(id="a"), benchmark(id="b", runs=()))
    assert content["rows"] == []
    assert content["verdict"] == "no difference shown"
