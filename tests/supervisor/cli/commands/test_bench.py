"""``understudy bench``, where no daemon runs."""

import json
from collections.abc import Iterator

import pytest

from chaos.lab.engine_flags import EngineFlags
from supervisor.baseline import trust
from supervisor.cli.commands.bench import _engine
from supervisor.settings.model import EngineSettings, Settings
from tests.fakes.running_engine import running_engine
from tests.fakes.stores import filled
from tests.supervisor.baseline.conftest import run, taken


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether chunks come evenly is this machine's business here, not the engine's."""
    monkeypatch.setattr(trust, "MOST_DEVIATION_RATIO", 1e9)


@pytest.fixture
def config(tmp_path):
    """A configuration with a store of its own."""
    return filled(tmp_path, {}, [])


@pytest.fixture
def engine() -> Iterator[str]:
    """The address of an engine whose speed is known."""
    with running_engine(EngineFlags(tokens_per_s=3000.0, writes_tokens=200, thinks=False)) as url:
        yield url


def file(tmp_path, one, name="one.json"):
    """Write a benchmark down."""
    path = tmp_path / name
    path.write_text(one.model_dump_json(by_alias=True))
    return path


BEFORE = taken(100.0, 101.0)
SLOWER = taken(60.0, 61.0, at=1, boot=1, version="2")
ODD = {"id": "odd", "engine": "gemma", "taken_at": "2026-03-01T12:00:00Z"}
FASTER = taken(190.0, 191.0, at=2, boot=2, version="3")


def test_an_engine_is_measured_shown_and_kept(invoke, config, engine):
    """As its baseline; and a second one is compared with it."""
    done = invoke("bench", "run", f"gemma={engine}", "--config", config, "--runs", 2)
    assert done.code == 0, done.err
    assert all(text in done.out for text in ("prose", "code", "json", "2 of 2"))
    again = invoke(
        *("bench", "run", f"gemma={engine}", "--config", config, "--runs", 2),
        *("--text", "prose", "--note", "again", "--format", "json"),
    )
    assert json.loads(again.out)["note"] == "again"
    listed = json.loads(invoke("bench", "list", "--config", config, "--format", "json").out)
    (known,) = listed["engines"]
    assert [one["note"] for one in known["benchmarks"]] == ["", "again"]
    assert known["baseline"] == known["benchmarks"][0]["id"], "a part is no baseline"
    assert "is no baseline" in again.err
    assert "gemma: tokens a second" in invoke("bench", "list", "gemma", "--config", config).out
    ids = [one["id"] for one in known["benchmarks"]]
    compared = invoke("bench", "compare", *ids, "--config", config)
    assert "prose" in compared.out
    assert compared.code in (0, 1)


def test_one_that_is_not_to_be_kept_is_written_where_it_is_asked_for(
    invoke, config, engine, tmp_path
):
    """By its address alone, without a configuration's engine."""
    output = tmp_path / "out.json"
    done = invoke(
        *("bench", "run", engine, "--config", config, "--runs", 1, "--text", "code"),
        *("--no-keep", "--output", output, "--concurrency", 2),
    )
    assert done.code == 0, done.err
    written = json.loads(output.read_text())
    assert written["schema"] == "understudy/benchmark/1"
    assert written["runs"][0]["concurrency"] == 2
    listed = json.loads(invoke("bench", "list", "--config", config, "--format", "json").out)
    assert listed["engines"] == []


def test_an_engine_without_a_trusted_run_is_inconclusive(invoke, config):
    """Exit code 3: it was measured, and nothing was learnt."""
    with running_engine(EngineFlags(thinks=False)) as url:
        done = invoke("bench", "run", url, "--config", config, "--runs", 1, "--text", "prose")
    assert done.code == 3
    assert "too few tokens" in done.out
    assert "0 of 1" in done.out


@pytest.mark.parametrize(
    ("before", "after", "code", "words"),
    [
        (BEFORE, SLOWER, 1, "a regression"),
        (BEFORE, FASTER, 0, "B is faster"),
        (BEFORE, taken(102.0, at=3, boot=3), 0, "No difference is shown"),
    ],
)
def test_the_exit_code_is_the_verdict(invoke, tmp_path, before, after, code, words):
    """1 on a regression, for scripts; files need neither a store nor a daemon."""
    files = (file(tmp_path, before, "a.json"), file(tmp_path, after, "b.json"))
    done = invoke("bench", "compare", *files)
    assert (done.code, words in done.out) == (code, True), done.out
    known = json.loads(invoke("bench", "compare", *files, "--format", "json").out)
    assert known["schema"] == "understudy/benchmark-comparison/1"


def test_what_was_kept_is_imported_exported_and_found_again(invoke, config, tmp_path):
    """By its id, by the beginning of it, and by its engine."""
    for one in (BEFORE, SLOWER):
        done = invoke("bench", "import", file(tmp_path, one), "--config", config)
        assert done.code == 0, done.err
        assert "is kept" in done.out
    assert (
        "was kept already"
        in invoke("bench", "import", file(tmp_path, SLOWER), "--config", config).out
    )
    listed = invoke("bench", "list", "gemma", "--config", config)
    assert BEFORE.id in listed.out
    assert "tokens a second" not in listed.out, "what was measured elsewhere is not plotted"
    theirs = json.loads(invoke("bench", "export", "gemma", "--config", config).out)
    assert theirs["benchmarks"][0]["tg_throughput"]["values"] == [60.0, 61.0]
    ours = invoke("bench", "export", BEFORE.id[:2], "--config", config, "--as", "understudy")
    assert json.loads(ours.out)["id"] == BEFORE.id
    assert invoke("bench", "compare", BEFORE.id, SLOWER.id, "--config", config).code == 1
    known = json.loads(invoke("bench", "list", "--config", config, "--format", "json").out)
    (engine,) = known["engines"]
    assert {one["taken_by"] for one in engine["benchmarks"]} == {"import"}
    assert engine["baseline"] is None, "what was measured elsewhere is no baseline"


@pytest.mark.parametrize(
    "run", [{"decode_tps": 1e300}, {"decode_tps": 1e-300}, {"total_tps": 0}, {"ttft_s": -1}]
)
def test_figures_that_nobody_has_measured_are_refused(invoke, config, tmp_path, run):
    """They would be divided by each other for ever after."""
    path = tmp_path / "odd.json"
    path.write_text(json.dumps({**ODD, "runs": [{"text": "prose", **run}]}))
    done = invoke("bench", "import", path, "--config", config)
    assert done.code == 2
    assert next(iter(run)) in done.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("run", "gemna"), "no local engine is called 'gemna'"),
        (("run", "x=ftp://y"), "not an http"),
        (("run", "http://127.0.0.1:9"), "cannot be asked"),
        (("run", "http://127.0.0.1:9", "--text", "proze"), "Did you mean 'prose'"),
        (("run", "http://127.0.0.1:9", "--output", "/proc/x"), "cannot be written"),
        (("compare", "nope", "nope"), "there is no benchmark, engine or file 'nope'"),
        (("compare", "nope.json", "nope"), "nope.json cannot be read"),
        (("compare", "b", "b"), "begins several ids"),
        (("compare", "gemma"), "is compared with itself"),
        (("compare", "x" * 300, "gemma"), "there is no benchmark, engine or file"),
        (("run", "http://[::1"), "Such as: gemma=http://127.0.0.1:8000"),
        (("run", "=http://127.0.0.1:9"), "it has no name"),
        (("run", "http://u:secretpw@127.0.0.1:9"), "cannot be asked"),
        (("run", "http://127.0.0.1:9", "--note", "x" * 501), "may have 500"),
        (
            (
                *("run", "http://127.0.0.1:9", "--runs", 50, "--concurrency", 1),
                *("--concurrency", 2, "--concurrency", 3),
            ),
            "450 runs",
        ),
        (("list", "qwen"), "no benchmark of 'qwen' is kept"),
        (("export", "gemma", "--as", "csv"), "--as 'csv' is no form"),
    ],
)
def test_a_slip_is_told_with_its_remedy(invoke, config, tmp_path, words, why):
    """Exit code 2, and what there is."""
    for one in (BEFORE, SLOWER):
        invoke("bench", "import", file(tmp_path, one), "--config", config)
    done = invoke("bench", *words, "--config", config)
    assert done.code == 2
    assert why in done.err.replace("\n", " ")
    assert "secretpw" not in done.err
    assert "→" in done.err


def test_a_file_that_is_no_benchmark_says_where(invoke, config, tmp_path):
    """By the field that is wrong."""
    path = tmp_path / "odd.json"
    path.write_text(json.dumps({"id": "x", "engine": "gemma", "runs": [{"text": 3}]}))
    done = invoke("bench", "import", path, "--config", config)
    assert done.code == 2
    assert "taken_at" in done.err


def test_benchmarks_without_a_text_in_common_are_not_compared(invoke, tmp_path):
    """Exit code 2: there is nothing to say."""
    doubted = taken(runs=(run(1.0, doubts=("burst",)),), at=1)
    files = (file(tmp_path, BEFORE, "a.json"), file(tmp_path, doubted, "b.json"))
    done = invoke("bench", "compare", *files)
    assert done.code == 2
    assert "no text in common" in done.err


def test_an_address_beside_a_configured_name_has_no_log_of_the_other(tmp_path):
    """What the log and the container of the configured one say is not true of it."""
    log = tmp_path / "vllm.log"
    named = EngineSettings(url="http://127.0.0.1:8000", log=log)
    settings = Settings(engines={"gemma": named})
    assert _engine(settings, "gemma") == ("gemma", named, None)
    assert _engine(settings, "gemma=http://127.0.0.1:8000/v1") == ("gemma", named, None)
    _, other, _ = _engine(settings, "gemma=http://127.0.0.1:8001")
    assert (other.log, other.url) == (None, "http://127.0.0.1:8001")
