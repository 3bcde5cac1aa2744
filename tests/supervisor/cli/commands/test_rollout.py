"""``understudy rollout``, as far as it comes without a Docker."""

import asyncio
import gc
import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

from supervisor.rollout.journal import Journal
from supervisor.store.engines.rollouts import RolloutState
from supervisor.store.location import parse_url
from supervisor.store.records import Home
from supervisor.store.store import Store
from tests.fakes.manual_clock import ManualClock
from tests.fakes.stores import filled

NOWHERE = "unix:///nonexistent/docker.sock"
FILE = {
    "container": "vllm",
    "engine": "gemma",
    "url": "http://127.0.0.1:8000",
    "run": {"image": "vllm/vllm-openai:v0.32.0", "command": ["--model", "m"]},
}


@pytest.fixture(autouse=True)
def without_docker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test here may find the Docker of whoever runs it."""
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    # The SDK leaves the socket that found nobody open to the collector, which warns at any time.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@pytest.fixture
def config(tmp_path):
    """A configuration with a store of its own, in which there is nothing."""
    return filled(tmp_path, {}, [])


@pytest.fixture
def file(tmp_path):
    """A rollout file."""
    path = tmp_path / "rollout.yaml"
    path.write_text(yaml.safe_dump(FILE))
    return path


def staged(folder: Path, **row: object) -> None:
    """Write into the store that something was staged."""

    async def write() -> None:
        url = parse_url(str(folder / "understudy.db"))
        home = Home("spark-1", "http://gateway:4000")
        async with Store.opened(url, home, ManualClock()) as store:
            journal = Journal(store, "20260301-120000-vllm")
            await journal.begin(engine="gemma", container="vllm", row=row)
            async with journal.step("pin"):
                pass
            await journal.become(RolloutState.STAGED)

    asyncio.run(write())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Exchange an engine"),
        (("init",), "--from-container"),
        (("plan",), "--without-baseline"),
        (("stage",), "--no-drills"),
        (("status",), "what serves now"),
        (("schema",), "rollout.schema.json"),
    ],
)
def test_each_command_explains_itself(invoke, words, said):
    """Without asking anything."""
    done = invoke("rollout", *words, "--help")
    assert done.code == 0
    assert said in done.out


# --- init -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--from-container", "vllm", "--from-recipe", "recipe.yaml"),
        ("--from-compose", "compose.yaml", "vllm", "--from-container", "vllm"),
    ],
)
def test_a_first_file_has_one_origin(invoke, config, tmp_path, words):
    """None and two are a slip, told with what there is before anything is asked."""
    output = tmp_path / "new.yaml"
    done = invoke("rollout", "init", *words, "--config", config, "--output", output)
    assert done.code == 2
    assert "say where the rollout file comes from, once" in done.err
    assert "→ One of --from-container NAME, --from-compose FILE SERVICE" in done.err
    assert not output.exists()


def test_a_file_that_is_there_is_overwritten_only_by_force(invoke, config, file):
    """It is told before Docker is asked, and the file is as it was."""
    before = file.read_text()
    words = ("rollout", "init", "--from-container", "vllm", "--config", config, "--output", file)
    refused = invoke(*words)
    assert refused.code == 2
    assert f"{file} is there already" in refused.err
    assert "→ Give --force" in refused.err
    assert "Docker" not in refused.err
    forced = invoke(*words, "--force")
    assert forced.code == 2
    assert "is there already" not in forced.err
    assert "there is no Docker to ask" in forced.err
    assert file.read_text() == before, "nothing was learnt that could be written"


def test_a_file_that_cannot_be_written_is_told_before_docker_is_asked(invoke, config, tmp_path):
    """Its folder is not there."""
    output = tmp_path / "none" / "rollout.yaml"
    words = ("--from-container", "vllm", "--config", config, "--output", output)
    done = invoke("rollout", "init", *words)
    assert done.code == 2
    assert f"{output} cannot be written" in done.err
    assert "Docker" not in done.err


# --- plan and stage ---------------------------------------------------------------------


@pytest.mark.parametrize("command", ["plan", "stage"])
def test_a_file_that_is_not_there_is_told_with_how_to_write_one(invoke, config, tmp_path, command):
    """Exit code 2, and Docker is not asked."""
    done = invoke("rollout", command, tmp_path / "none.yaml", "--config", config)
    assert done.code == 2
    assert "none.yaml: cannot be read: No such file or directory" in done.err
    assert "rollout init --from-container" in done.err
    assert "Docker" not in done.err


@pytest.mark.parametrize("command", ["plan", "stage"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"container": "no good name"}, "container"),
        ({"limits": {"strat": "5m"}}, "strat"),
        ({"run": {"image": "i", "mounts": ["nowhere"]}}, "not SOURCE:TARGET"),
    ],
)
def test_a_file_that_is_wrong_says_where(invoke, config, file, command, changes, said):
    """By the key, or by what it should be; and Docker is not asked."""
    file.write_text(yaml.safe_dump({**FILE, **changes}))
    done = invoke("rollout", command, file, "--config", config)
    assert done.code == 2
    assert str(file) in done.err
    assert said in done.err
    assert "rollout schema" in done.err
    assert "Docker" not in done.err


@pytest.mark.parametrize("command", ["plan", "stage"])
def test_without_docker_nothing_can_be_said(invoke, config, file, tmp_path, command):
    """Exit code 2, on stderr alone, and no output is written."""
    output = tmp_path / "plan.json"
    done = invoke("rollout", command, file, "--config", config, "--output", output)
    assert (done.code, done.out) == (2, "")
    assert "there is no Docker to ask" in done.err
    assert "→ Start Docker, or set DOCKER_HOST" in done.err
    assert not output.exists()


@pytest.mark.parametrize("command", ["plan", "stage"])
def test_an_output_that_cannot_be_written_is_told_first(invoke, config, file, tmp_path, command):
    """Before anything takes minutes."""
    output = tmp_path / "none" / "plan.json"
    done = invoke("rollout", command, file, "--config", config, "--output", output)
    assert done.code == 2
    assert str(output) in done.err
    assert "Docker" not in done.err


# --- status -----------------------------------------------------------------------------


def test_an_empty_journal_says_how_to_begin_and_asks_no_docker(invoke, config):
    """There is nothing to ask about."""
    done = invoke("rollout", "status", "--config", config)
    assert (done.code, done.err) == (0, "")
    assert "No rollout yet." in done.out
    assert "rollout init --from-container NAME" in " ".join(done.out.split())


def test_an_empty_journal_is_json_too(invoke, config):
    """With a schema, and no rollout."""
    done = invoke("rollout", "status", "--config", config, "--format", "json")
    assert done.code == 0
    assert json.loads(done.out) == {"schema": "understudy/rollouts/1", "rollouts": []}


def test_what_is_staged_is_told_though_docker_cannot_be_asked(invoke, config, tmp_path):
    """The journal is known without it, and what is not known is said."""
    staged(tmp_path)
    done = invoke("rollout", "status", "--config", config)
    assert done.code == 0
    shown = " ".join(done.out.split())
    assert "20260301-120000-vllm gemma staged" in shown
    assert "there is no Docker to ask" in shown
    assert "pin done" in shown
    known = json.loads(invoke("rollout", "status", "--config", config, "--format", "json").out)
    (one,) = known["rollouts"]
    assert (one["id"], one["state"], one["serving"]) == ("20260301-120000-vllm", "staged", None)


def test_the_rollouts_of_another_container_are_left_out(invoke, config, tmp_path):
    """Only those of the one that is named."""
    staged(tmp_path)
    words = ("--config", config, "--format", "json")
    ours = json.loads(invoke("rollout", "status", "vllm", *words).out)
    other = json.loads(invoke("rollout", "status", "other", *words).out)
    assert (len(ours["rollouts"]), other["rollouts"]) == (1, [])


# --- schema -----------------------------------------------------------------------------


def test_the_schema_describes_the_file(invoke):
    """It takes a good one, and refuses a key that there is not."""
    done = invoke("rollout", "schema")
    assert (done.code, done.err) == (0, "")
    schema = json.loads(done.out)
    jsonschema.validate(FILE, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**FILE, "contianer": "x"}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({name: FILE[name] for name in FILE if name != "run"}, schema)
