"""Everything that a plan needs to know."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from chaos.errors import SetupError, UsageError
from chaos.process.ports import free_port
from supervisor.engine.capacity import Capacity, Source
from supervisor.engine.log import EngineLog
from supervisor.rollout.container_spec import SAME, ContainerSpec
from supervisor.rollout.docker_host import Ran
from supervisor.rollout.facts import (
    Memory,
    engine_url,
    filled,
    gather,
    image_suggestion,
    listed,
    newest,
    pythons,
    read_memory,
    since,
    start_duration_s,
)
from supervisor.settings.model import Settings
from tests.fakes.benchmarks import HOUR, benchmark, run
from tests.fakes.manual_clock import NOON
from tests.fakes.models import whole_model
from tests.fakes.rollouts import (
    NEW_NAME,
    OLD_ID,
    OLD_NAME,
    ToldHost,
    command,
    container,
    engine,
    facts,
    image,
    rollout_file,
    stopped,
)

STARTED = datetime(2026, 3, 1, 9, 0, 0, 500_000, tzinfo=UTC)
LISTING = json.dumps({"version": "0.32.0", "flags": ["--port"], "tool": {"gemma4": "G"}})
NO_DOCKER = SetupError("there is no python3", remedy="Look into it.")

# --- how long a start took --------------------------------------------------------------

SERVES = "INFO:     Application startup complete."


@pytest.mark.parametrize(
    ("log", "took_s"),
    [
        (f"2026-03-01T09:02:00.500000000Z {SERVES}", 120.0),
        ("2026-03-01T09:00:01.500000Z INFO: Uvicorn running on http://0.0.0.0:8000", 1.0),
        (f"2026-03-01T09:00:10.5Z loading\n2026-03-01T09:01:00.5Z {SERVES}\n", 60.0),
        (f"2026-03-01T09:01:00.5Z {SERVES}\n2026-03-01T09:02:00.5Z {SERVES}", 60.0),
        (f"2026-03-01T08:59:00.5Z {SERVES}\n2026-03-01T09:02:00.5Z {SERVES}", 120.0),
        (f"2026-03-01T08:59:00.5Z {SERVES}", None),
        (f"99-99-99Z {SERVES}\n2026-03-01T09:02:00.5Z {SERVES}", 120.0),
        (SERVES, None),
        ("2026-03-01T09:02:00.5Z loading", None),
        ("", None),
    ],
    ids=[
        *("nanoseconds", "uvicorn's words", "after other lines", "the first that says so"),
        *("an earlier start too", "an earlier start alone", "a stamp that is none"),
        *("no stamp", "not yet", "empty"),
    ],
)
def test_a_start_ends_when_the_engine_serves(log, took_s):
    """By Docker's own timestamps."""
    assert start_duration_s(log, STARTED) == took_s


def test_a_start_of_which_nobody_knows_the_begin_has_no_duration():
    """It was never started."""
    assert start_duration_s(f"2026-03-01T09:02:00.5Z {SERVES}", None) is None


def test_a_log_is_read_from_the_last_start_on():
    """Lines of the very second are kept: Docker's own moment may be a little later."""
    log = "2026-03-01T08:59:59.9Z old\n2026-03-01T09:00:00.1Z new\n2026-03-01T09:00:01Z newer"
    assert since(log, STARTED) == "2026-03-01T09:00:00.1Z new\n2026-03-01T09:00:01Z newer"
    assert since(log, None) == log


# --- small readings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "memory"),
    [
        (
            "MemTotal:       125026304 kB\nMemFree: 1 kB\nMemAvailable:   24157308 kB\n",
            Memory(125026304 << 10, 24157308 << 10),
        ),
        ("MemTotal: 5 kB\n", Memory()),
        ("MemTotal: many kB\nMemAvailable: 1 kB\n", Memory()),
        ("MemTotal:\nMemAvailable: 1 kB\n", Memory()),
        ("", Memory()),
    ],
    ids=["the kernel's", "half of it", "no number", "nothing behind it", "empty"],
)
def test_memory_is_read_as_the_kernel_counts_it(tmp_path, text, memory):
    """Its kB are 1024 bytes; what cannot be read is not known."""
    path = tmp_path / "meminfo"
    path.write_text(text)
    assert read_memory(path) == memory


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["absent", "no text"])
def test_memory_that_cannot_be_read_is_not_known(tmp_path: Path, content):
    """Another system has no such file."""
    path = tmp_path / "meminfo"
    if content is not None:
        path.write_bytes(content)
    assert read_memory(path) == Memory()


def test_this_machines_memory_is_read():
    """Where the kernel tells it."""
    memory = read_memory()
    assert memory.total is not None
    assert memory.available is not None
    assert 0 < memory.available <= memory.total


def test_the_newest_benchmark_that_may_be_one_is_taken():
    """It was taken here, and has a run that may be trusted."""
    old, new = benchmark(taken_at=NOON - 2 * HOUR), benchmark(taken_at=NOON - HOUR)
    foreign = benchmark(taken_at=NOON, taken_by="import")
    doubtful = benchmark(taken_at=NOON, runs=(run(doubts=("too short",)),))
    assert newest([new, old, foreign, doubtful]) == new
    assert newest([old, new]) == new
    assert newest([foreign, doubtful]) is None
    assert newest([]) is None


@pytest.mark.parametrize(
    ("url", "engines", "found"),
    [
        ("http://here:1", {"gemma": "http://there:2"}, "http://here:1"),
        (None, {"gemma": "http://there:2"}, "http://there:2"),
    ],
    ids=["the file's", "the configuration's"],
)
def test_where_the_engine_answers_is_said_by_the_file_else_by_the_configuration(
    url, engines, found
):
    """The file knows better what it is about."""
    settings = Settings.model_validate({"engines": engines})
    assert engine_url(rollout_file(url=url), settings) == found


def test_an_engine_of_which_nobody_says_where_it_answers_is_a_slip():
    """The remedy says both places."""
    settings = Settings.model_validate({"engines": {"qwen": "http://there:2"}})
    with pytest.raises(UsageError, match="where the engine 'gemma' answers") as raised:
        engine_url(rollout_file(url=None), settings)
    assert "url: http" in raised.value.remedy
    assert "engines: {gemma: http" in raised.value.remedy


def test_what_fits_is_told_by_the_engine_and_else_by_its_log():
    """What the engine says now is truer than what its log said then."""
    told = engine(
        capacity=Capacity(kv_cache_tokens=100, sources={"kv_cache_tokens": Source.METRICS})
    )
    log = EngineLog(kv_cache_tokens=90, weights_gib=50.0)
    both = facts(engine=told, log=log).capacity
    assert (both.kv_cache_tokens, both.weights_gib) == (100, 50.0)
    assert facts(engine=told).capacity.weights_gib is None
    assert facts(engine=None, log=log).capacity.kv_cache_tokens == 90
    assert facts(engine=None).capacity == Capacity()


def test_what_is_to_run_is_the_files_own_where_nothing_could_be_filled_in():
    """Without a container that runs there are no values to take."""
    known = facts(container=None, state=None, running=None)
    without = type(known)(file=known.file, now=NOON)
    assert without.spec == known.file.run
    other = ContainerSpec(image="other")
    assert facts(wanted=other).spec == other


def test_the_image_that_was_probably_meant_is_found_among_those_that_are_here():
    """By its name."""
    file = rollout_file(run={"image": "vllm/vllm-openai:v0.32"})
    assert image_suggestion(facts(file=file)) == f"did you mean {NEW_NAME!r}?"


# --- values of the running container ----------------------------------------------------


def spec(**changes) -> ContainerSpec:
    """A container of some image."""
    return ContainerSpec(image="vllm", **changes)


def test_values_that_are_not_written_down_are_the_running_containers():
    """Variables and flags; what is written down stays."""
    wanted = spec(
        environment={"HF_TOKEN": None, "MODE": "new"},
        entrypoint=("vllm", "serve", "--api-key", SAME),
        command=("/m", f"--served-model-name={SAME}", "--port", "1"),
    )
    running = spec(environment={"HF_TOKEN": "secret", "MODE": "old", "OTHER": "1"})
    found, unresolved = filled(wanted, running, command("/m --api-key k --served-model-name g"))
    assert unresolved == ()
    assert found.environment == {"HF_TOKEN": "secret", "MODE": "new"}
    assert found.entrypoint == ("vllm", "serve", "--api-key", "k")
    assert found.command == ("/m", "--served-model-name=g", "--port", "1")


def test_what_the_running_container_does_not_have_is_named():
    """All of it, a variable by its name and a flag in a sentence."""
    wanted = spec(environment={"HF_TOKEN": None, "B": None}, command=("/m", "--api-key", SAME))
    found, unresolved = filled(wanted, spec(environment={"B": ""}), command("/m"))
    assert unresolved == ("HF_TOKEN", "the running container has no value for --api-key")
    assert found.environment == {"HF_TOKEN": None, "B": ""}


def test_an_image_that_says_everything_itself_has_nothing_to_fill_in():
    """Neither entrypoint nor command is invented."""
    assert filled(spec(), spec(command=("/m",)), command("/m")) == (spec(), ())


# --- the package ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "tried"),
    [
        ({}, ("python3", "python")),
        (
            {"entrypoint": ("/opt/venv/bin/vllm", "serve")},
            ("/opt/venv/bin/python3", "python3", "python"),
        ),
        (
            {"command": ("/opt/venv/bin/vllm", "serve", "/m")},
            ("/opt/venv/bin/python3", "python3", "python"),
        ),
        ({"command": ("/m", "/opt/vllm")}, ("python3", "python")),
    ],
    ids=["the path's", "beside the entrypoint", "beside the command", "an argument"],
)
def test_the_python_of_vllm_is_looked_for_beside_it_first(changes, tried):
    """An environment of its own is not the system's."""
    assert pythons(spec(**changes)) == tried


def test_a_package_is_listed_by_the_first_python_that_can():
    """In isolation, so that no mounted folder disturbs it."""
    host = ToldHost(ran=[NO_DOCKER, Ran(1, "", "no vllm"), Ran(0, LISTING, "")])
    found = listed(host, spec(entrypoint=("/opt/bin/vllm", "serve")))
    assert (found.version, found.problem, found.where) == ("0.32.0", "", "the image vllm")
    assert (found.tool, found.flags) == (("gemma4",), ("--port",))
    assert [words[:3] for words in host.started] == [
        ["/opt/bin/python3", "-I", "-c"],
        ["python3", "-I", "-c"],
        ["python", "-I", "-c"],
    ]


@pytest.mark.parametrize(
    ("last", "problem", "remedy"),
    [
        (NO_DOCKER, "there is no python3", "Look into it."),
        (Ran(1, "", "ModuleNotFoundError: vllm\n"), "ModuleNotFoundError: vllm", ""),
    ],
    ids=["cannot be started", "ends with an error"],
)
def test_a_package_that_no_python_lists_is_a_problem(last, problem, remedy):
    """The last one's words are told."""
    found = listed(ToldHost(ran=[Ran(1, "", "first"), last]), spec())
    assert found.problem.endswith(problem)
    assert found.remedy == remedy
    assert found.flags == ()


# --- all together -----------------------------------------------------------------------


def local_file(tmp_path: Path, **changes):
    """A rollout file whose model and patch are on this disk, for an engine that is not there."""
    whole_model(tmp_path / "gemma")
    (tmp_path / "patch.py").write_text("ours")
    run = {
        "mounts": [f"{tmp_path}:/models:ro", f"{tmp_path}/patch.py:/opt/patch.py"],
        "environment": {"HF_TOKEN": None},
        **changes.pop("run", {}),
    }
    return rollout_file(url=f"http://127.0.0.1:{free_port()}", run=run, **changes)


def told_host(tmp_path: Path, serving, **changes) -> ToldHost:
    """A Docker with both images and the container that serves."""
    values = {
        "containers": {"vllm": serving} if serving is not None else {},
        "images": {OLD_ID: image(OLD_ID), OLD_NAME: image(OLD_ID), NEW_NAME: image()},
        "files": {NEW_NAME: {"/opt/patch.py": b"new"}, OLD_ID: {"/opt/patch.py": b"old"}},
        "ran": [Ran(0, LISTING, "")],
        "log": "2026-03-01T08:00:00Z earlier\n"
        "2026-03-01T09:00:10.123456789Z Model loading took 50.0 GiB memory and 9.1 seconds\n"
        f"2026-03-01T09:02:00.123456789Z {SERVES}\n",
        "info": {"DockerRootDir": str(tmp_path)},
        **changes,
    }
    return ToldHost(**values)


async def gathered(host: ToldHost, file, **options):
    """Gather with a configuration that says nothing."""
    async with aiohttp.ClientSession() as session:
        return await gather(host, file, Settings(), session, **options)


async def test_everything_is_asked_once(tmp_path: Path):
    """Of Docker, of the disk, of the engine."""
    file = local_file(tmp_path)
    said: list[str] = []
    one = benchmark()
    serving = container(config={"Env": ["HF_TOKEN=secret"]})
    found = await gathered(
        told_host(tmp_path, serving), file, benchmarks=[one], without_baseline="so", say=said.append
    )
    assert found.state is not None
    assert found.state.running
    assert found.running is not None
    assert found.running.image == OLD_NAME
    assert (found.spec.environment, found.unresolved) == ({"HF_TOKEN": "secret"}, ())
    assert (found.image, found.images) == (image(), (OLD_NAME, NEW_NAME))
    assert found.old_command == command()
    assert found.command == command()
    assert found.package is not None
    assert found.package.version == "0.32.0"
    assert said == [f"reading flags and parsers of {NEW_NAME}"]
    assert [one.target for one in found.patches] == ["/opt/patch.py"]
    assert found.patches[0].before != found.patches[0].after
    assert found.model is not None
    assert (found.model.folder, found.model.shards) == (tmp_path / "gemma", 2)
    assert found.start_s == pytest.approx(120.0)
    assert found.log is not None
    assert found.log.weights_gib == 50.0
    assert found.old_memory_bytes is not None
    assert found.disk_free_bytes is not None
    assert (found.port_holders, found.name_holder) == ({}, "")
    assert found.engine is not None
    assert found.engine.problem != "", "nothing answers there"
    assert (found.baseline, found.without_baseline) == (one, "so")
    assert abs(found.now - datetime.now(UTC)) < timedelta(hours=1)


async def test_without_a_container_the_rest_is_asked_all_the_same(tmp_path: Path):
    """Whoever plans sees everything that is wrong at once."""
    file = local_file(tmp_path)
    found = await gathered(told_host(tmp_path, None), file)
    assert (found.container, found.state, found.running, found.log) == (None, None, None, None)
    assert (found.old_command, found.start_s, found.old_memory_bytes) == (None, None, None)
    assert (found.spec, found.unresolved) == (file.run, ())
    assert found.package is not None
    assert found.model is not None


async def test_a_container_that_is_stopped_takes_no_memory(tmp_path: Path):
    """Docker is not asked for it."""
    found = await gathered(told_host(tmp_path, stopped()), local_file(tmp_path))
    assert found.old_memory_bytes is None
    assert found.unresolved == ("HF_TOKEN",)


async def test_an_image_that_is_not_here_is_not_started(tmp_path: Path):
    """Nothing of it can be listed."""
    host = told_host(tmp_path, container(), images={OLD_ID: image(OLD_ID)})
    said: list[str] = []
    found = await gathered(host, local_file(tmp_path), say=said.append)
    assert (found.image, found.package, found.patches) == (None, None, ())
    assert (host.started, host.asked, said) == ([], [], [])


async def test_with_a_source_that_is_not_there_nothing_is_started(tmp_path: Path):
    """Docker would refuse the mount."""
    host = told_host(tmp_path, container())
    none = tmp_path / "none"
    found = await gathered(host, local_file(tmp_path, run={"mounts": [f"{none}:/models"]}))
    assert found.missing_sources == (str(none),)
    assert (found.package, found.patches) == (None, ())
    assert host.started == []


async def test_another_engine_than_vllm_is_not_listed_and_its_model_not_looked_at(tmp_path: Path):
    """Its command cannot be read."""
    host = told_host(tmp_path, container())
    run = {"entrypoint": ["llama-server"], "command": "--model /models/gemma"}
    found = await gathered(host, local_file(tmp_path, run=run))
    assert (found.command, found.package, found.model) == (None, None, None)
    assert [one.target for one in found.patches] == ["/opt/patch.py"]


async def test_a_docker_on_another_machine_tells_no_disk(tmp_path: Path):
    """Its folder is not here."""
    host = told_host(tmp_path, container(), info={"DockerRootDir": str(tmp_path / "none")})
    assert (await gathered(host, local_file(tmp_path))).disk_free_bytes is None


async def test_a_name_and_a_port_that_others_have_are_told(tmp_path: Path):
    """By who has them."""
    port = free_port()
    host = told_host(
        tmp_path,
        container(),
        containers={"vllm": container(), "vllm-next": {"Config": {}}},
        published={port: "other"},
    )
    words = f"/models/gemma --port {port}"
    found = await gathered(host, local_file(tmp_path, run={"command": words}))
    assert found.port_holders == {port: "the container other"}
    assert found.name_holder == "vllm-next"
