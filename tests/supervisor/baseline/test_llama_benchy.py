"""llama-benchy's JSON, read and written."""

import json
from datetime import UTC, datetime

import pytest

from chaos.errors import UsageError
from supervisor.baseline.llama_benchy import is_theirs, read, write
from tests.fakes.benchmarks import benchmark, run, runs
from tests.fakes.manual_clock import NOON

HEAD = {
    "version",
    "timestamp",
    "latency_mode",
    "latency_ms",
    "model",
    "prefix_caching_enabled",
    "max_concurrency",
    "benchmarks",
}
"""Every field of ``BenchmarkReport`` of llama-benchy 0.4.0; all are required."""

REQUIRED = {
    "concurrency",
    "context_size",
    "prompt_size",
    "response_size",
    "is_context_prefill_phase",
}
"""Fields of its ``BenchmarkRun`` that have no default."""

METRICS = {
    "pp_throughput",
    "pp_req_throughput",
    "tg_throughput",
    "tg_req_throughput",
    "peak_throughput",
    "peak_req_throughput",
    "ttfr",
    "est_ppt",
    "e2e_ttft",
}
"""Its ``BenchmarkMetric`` fields: throughput in tokens a second, times in milliseconds."""


def metric(*values):
    """Make a ``BenchmarkMetric``; only its values matter here."""
    return {"mean": sum(values) / len(values), "std": 0.5, "values": list(values)}


def theirs(**changes):
    """Make one ``BenchmarkRun``: a single stream, twice, with every field that is written."""
    return {
        "concurrency": 1,
        "context_size": 0,
        "prompt_size": 2048,
        "response_size": 128,
        "is_context_prefill_phase": False,
        "pp_throughput": metric(4000.0, 4100.0),
        "pp_req_throughput": metric(4000.0, 4100.0),
        "tg_throughput": metric(50.0, 40.0),
        "tg_req_throughput": metric(50.0, 40.0),
        "peak_throughput": metric(52.0, 42.0),
        "peak_req_throughput": metric(52.0, 42.0),
        "ttfr": metric(490.0, 480.0),
        "est_ppt": metric(488.0, 478.0),
        "e2e_ttft": metric(500.0, 510.0),
        "throughput_over_time": None,
        "requests_throughput_over_time": None,
        **changes,
    }


def report(*rows, **changes):
    """Make a ``BenchmarkReport``."""
    return {
        "version": "0.4.0",
        "timestamp": "2026-03-01 12:00:00Z",
        "latency_mode": "api",
        "latency_ms": 1.9,
        "model": "google/gemma-4",
        "prefix_caching_enabled": False,
        "max_concurrency": 1,
        "benchmarks": list(rows),
        **changes,
    }


TWO_AT_ONCE = theirs(
    concurrency=2,
    tg_throughput=metric(90.0, 80.0),
    tg_req_throughput=metric(46.0, 45.0, 41.0, 40.0),
    e2e_ttft=metric(600.0, 610.0, 620.0, 630.0),
)


def foreign(taken):
    """Write a benchmark, and drop what only Understudy knows, as another tool would see it."""
    return {name: value for name, value in write(taken, "1.2.3").items() if name in HEAD}


def test_a_single_stream_has_a_run_for_each_value():
    """Milliseconds become seconds, and sizes become tokens."""
    one = read(report(theirs()), "spark.json")
    assert [known.decode_tps for known in one.runs] == [50.0, 40.0]
    assert [known.total_tps for known in one.runs] == [50.0, 40.0]
    assert [known.ttft_s for known in one.runs] == [0.5, 0.51]
    assert [known.itl_s for known in one.runs] == [0.02, 0.025]
    assert {(known.text, known.concurrency) for known in one.runs} == {("pp2048 tg128", 1)}
    assert {(known.prompt_tokens, known.tokens) for known in one.runs} == {(2048, 128)}
    assert all(known.counts for known in one.runs)


def test_the_benchmark_names_its_model_and_its_tool():
    """It has no engine of this machine, so the model is its name."""
    one = read(report(theirs()), "spark.json")
    assert (one.engine, one.conditions.model) == ("google/gemma-4", "google/gemma-4")
    assert (one.taken_by, one.note) == ("llama-benchy", "llama-benchy 0.4.0")
    assert one.method.max_tokens == 128
    assert one.boot is None


def test_requests_at_once_are_one_run_with_the_median_of_them():
    """Two batches of two requests: a record of 16 at once in 30 rows would not fit otherwise."""
    one = read(report(TWO_AT_ONCE), "spark.json")
    assert [known.decode_tps for known in one.runs] == [45.5, 40.5]
    assert [known.total_tps for known in one.runs] == [90.0, 80.0]
    assert [known.ttft_s for known in one.runs] == pytest.approx([0.605, 0.625])
    assert {(known.concurrency, known.tokens) for known in one.runs} == {(2, 256)}


def test_without_figures_of_each_request_the_total_is_all_there_is():
    """A single stream's total is its own speed."""
    one = read(report(theirs(tg_req_throughput=None, e2e_ttft=None)), "spark.json")
    assert [known.decode_tps for known in one.runs] == [50.0, 40.0]
    assert [known.ttft_s for known in one.runs] == [None, None]


def test_a_context_makes_a_text_of_its_own():
    """Generation after 4096 tokens of context is slower, and is not mixed with the rest."""
    one = read(report(theirs(), theirs(context_size=4096)), "spark.json")
    assert list(one.figures) == [("pp2048 tg128", 1), ("pp2048 tg128 at 4096", 1)]
    assert one.runs[-1].prompt_tokens == 2048 + 4096


def test_phases_that_only_fill_the_context_are_left_out():
    """Their figures of generation are a by-product."""
    loading = theirs(context_size=4096, is_context_prefill_phase=True)
    after = theirs(context_size=4096, tg_throughput=metric(30.0), tg_req_throughput=metric(30.0))
    one = read(report(loading, after), "spark.json")
    assert [known.decode_tps for known in one.runs] == [30.0]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [theirs(tg_throughput=None, tg_req_throughput=None)],
        [theirs(is_context_prefill_phase=True)],
        [theirs(tg_throughput=metric(0.0), tg_req_throughput=metric(0.0))],
    ],
    ids=["no rows", "only prefill", "only context", "zero"],
)
def test_a_report_without_generation_is_refused_with_a_remedy(rows):
    """The message names the file, and the remedy names llama-benchy's option."""
    with pytest.raises(UsageError, match=r"spark\.json has no figure of generation") as caught:
        read(report(*rows), "spark.json")
    assert "--tg" in caught.value.remedy


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (report(theirs(), theirs(concurrency="two")), "benchmarks.1.concurrency"),
        (report(theirs(tg_throughput={"values": "fast"})), "benchmarks.0.tg_throughput.values"),
        (report(model=None), "model"),
        ({"model": "gemma", "benchmarks": 7}, "benchmarks"),
    ],
    ids=["concurrency", "values", "model", "benchmarks"],
)
def test_a_broken_report_is_refused_with_the_place(content, place):
    """The message names the field, and the remedy shows how to write a valid report."""
    with pytest.raises(UsageError) as caught:
        read(content, "spark.json")
    assert str(caught.value).startswith(f"spark.json is no report of llama-benchy's: {place}: ")
    assert "--save-result" in caught.value.remedy


@pytest.mark.parametrize(
    "written", ["2026-03-01 12:00:00Z", "2026-03-01 12:00:00", "2026-03-01T14:00:00+02:00"]
)
def test_a_timestamp_is_utc_unless_it_names_another_zone(written):
    """All of these are noon."""
    assert read(report(theirs(), timestamp=written), "spark.json").taken_at == NOON


@pytest.mark.parametrize("written", ["", "yesterday", "2026-13-01 12:00:00Z"])
def test_an_unreadable_timestamp_does_not_cost_the_figures(written):
    """The benchmark counts as very old, and its speed is there."""
    one = read(report(theirs(), timestamp=written), "spark.json")
    assert one.taken_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert one.decode_tps == 45.0


def test_one_report_has_one_id_and_another_report_has_another():
    """Reading a file twice does not make two benchmarks; the id begins with its time."""
    first, again = read(report(theirs()), "a.json"), read(report(theirs()), "b.json")
    other = read(report(theirs(response_size=32)), "a.json")
    assert first.id == again.id
    assert first.id != other.id
    assert first.id.startswith("20260301-120000-")


def test_what_is_written_reads_back_whole():
    """Boot, arguments, engine figures and runs that are not counted survive the JSON."""
    doubtful = run("prose", doubts=("other traffic: 2 requests were there before",))
    taken = benchmark(
        note="before the upgrade", runs=(*runs(), *runs(40.0, concurrency=2), doubtful)
    )
    text = json.dumps(write(taken, "1.2.3"), allow_nan=False)
    assert read(json.loads(text), "spark.json") == taken


def test_a_broken_understudy_record_is_refused():
    """It is not silently replaced by the coarser figures beside it."""
    content = write(benchmark(), "1.2.3")
    del content["understudy"]["engine"]
    with pytest.raises(UsageError, match=r"engine: Field required"):
        read(content, "spark.json")


def test_written_reports_have_the_fields_of_theirs():
    """Every required field is there, and none that their models do not know."""
    content = write(benchmark(), "1.2.3")
    assert set(content) == HEAD | {"understudy"}
    assert len(content["benchmarks"]) == 3
    for row in content["benchmarks"]:
        assert set(row) >= REQUIRED
        assert set(row) <= REQUIRED | METRICS
        for name in METRICS & set(row):
            assert set(row[name]) == {"mean", "std", "values"}


def test_written_times_are_milliseconds_and_speeds_tokens_a_second():
    """20 tokens of prompt in 0.2 s, then 50 tokens a second."""
    (row,) = write(benchmark(runs=runs(50.0, ["prose"])), "1.2.3")["benchmarks"]
    assert row["e2e_ttft"]["values"] == [200.0, 200.0, 200.0]
    assert row["ttfr"]["mean"] == pytest.approx(200.0)
    assert row["pp_throughput"]["values"] == pytest.approx([100.0, 100.0, 100.0])
    assert row["tg_throughput"]["values"] == pytest.approx([49.5, 50.0, 50.5])
    assert row["tg_throughput"]["mean"] == pytest.approx(50.0)
    assert row["tg_throughput"]["std"] == pytest.approx((0.5**2 * 2 / 3) ** 0.5)
    assert (row["prompt_size"], row["response_size"]) == (20, 256)


def test_written_rows_of_several_at_once_have_the_total_and_each_request():
    """The size of a response is that of one request."""
    taken = benchmark(runs=runs(40.0, ["prose"], concurrency=2, total_tps=75.0, tokens=512))
    content = write(taken, "1.2.3")
    (row,) = content["benchmarks"]
    assert content["max_concurrency"] == row["concurrency"] == 2
    assert row["tg_throughput"]["values"] == [75.0, 75.0, 75.0]
    assert row["tg_req_throughput"]["mean"] == pytest.approx(40.0)
    assert row["response_size"] == 256


def test_the_head_of_a_written_report_has_its_writer_and_time():
    """The time has llama-benchy's form, and the model is the name that clients use."""
    content = write(benchmark(), "1.2.3")
    assert content["version"] == "understudy 1.2.3"
    assert content["timestamp"] == "2026-03-01 12:00:00Z"
    assert content["model"] == "gemma-4"


def test_only_trusted_runs_are_written_into_rows():
    """A burst of 9000 tokens a second is in no row, and a text of bursts alone has no row."""
    burst = run("prose", 9000.0, doubts=("burst arrival: everything came at once",))
    alone = run("json", 9000.0, doubts=("burst arrival: everything came at once",))
    content = write(benchmark(runs=(*runs(50.0, ["prose"]), burst, alone)), "1.2.3")
    (row,) = content["benchmarks"]
    assert max(row["tg_throughput"]["values"]) == pytest.approx(50.5)
    assert len(row["tg_throughput"]["values"]) == 3


def test_a_tool_that_drops_the_understudy_record_leaves_the_speeds():
    """What llama-benchy's own fields carry is enough to read the figures again."""
    taken = benchmark(runs=runs(50.0, ["prose"]))
    content = foreign(taken)
    assert "understudy" not in content
    again = read(content, "spark.json")
    assert again.decode_tps == taken.decode_tps
    assert [known.ttft_s for known in again.runs] == pytest.approx([0.2, 0.2, 0.2])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (report(theirs()), True),
        (write(benchmark(), "1.2.3"), True),
        (benchmark().model_dump(mode="json", by_alias=True), False),
        ([report(theirs())], False),
        ("benchmarks model", False),
        (None, False),
    ],
    ids=["theirs", "written", "record", "list", "text", "null"],
)
def test_reports_of_llama_benchy_are_told_apart_from_records(content, expected):
    """By their two keys, whatever JSON the file holds."""
    assert is_theirs(content) is expected
