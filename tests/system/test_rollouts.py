"""A real Docker engine, and the engine in it exchanged: planned, refused, staged, taken back.

Nothing here may touch what serves: each test ends with a look at it.
"""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import docker
import pytest
import yaml
from docker.models.containers import Container

from chaos.process.ports import free_port
from supervisor.cli.main import main
from tests.fakes.commandline import starting
from tests.fakes.docker_engine import any_dockerd
from tests.fakes.engine_image import PATCHED, PATCHED_TEXT, engine_image, mounted
from tests.fakes.models import whole_model
from tests.patience import PATIENCE_S, wait_for

pytestmark = pytest.mark.docker

NAME = "vllm"
NEXT = "vllm-next"
GROUP = "gemma"
COMMAND = (
    *("/models/gemma", "--served-model-name", "gemma", "--host", "127.0.0.1"),
    *("--enable-auto-tool-choice", "--tool-call-parser", "gemma4"),
)

NEVER: Any = {"Name": "no", "MaximumRetryCount": 0}

Change = Callable[[dict[str, Any]], None]


@contextmanager
def docker_here() -> Iterator[str]:
    """Run an engine; only a user who may not is excused."""
    if os.geteuid() != 0:
        pytest.skip("a Docker engine of its own needs root")
    with any_dockerd() as url:
        yield url


@dataclass
class Site:
    """A Docker with an engine that serves.

    Attributes:
        folder: Where the model, the patch and the rollout file are.
        port: Where it answers.
        started_at: When what serves was started; it is never started anew here.
    """

    url: str
    client: docker.DockerClient
    folder: Path
    port: int
    started_at: str = ""

    def container(self, name: str = NAME) -> Container:
        """Find a container; it has to be there."""
        return self.client.containers.get(name)

    def names(self) -> list[str]:
        """List every container."""
        return sorted(str(one.name) for one in self.client.containers.list(all=True))

    def untouched(self) -> None:
        """What served when it all began serves on, and nobody has started it since."""
        serving = self.container()
        assert serving.status == "running"
        assert serving.attrs["State"]["StartedAt"] == self.started_at
        assert serving.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"

    def run(self, *arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the command against this Docker, in this process: it is run many times."""
        words = ["understudy", "rollout", *map(str, arguments)]
        printed, told = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {"DOCKER_HOST": self.url, "COLUMNS": "200", **env}),
            mock.patch.object(sys, "argv", words),
            mock.patch("supervisor.cli.main.forbid_core_dumps"),
            redirect_stdout(printed),
            redirect_stderr(told),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        code = ended.value.code if isinstance(ended.value.code, int) else 0
        return subprocess.CompletedProcess(words, code, printed.getvalue(), told.getvalue())

    def file(self, change: Change | None = None, name: str = "rollout.yaml") -> Path:
        """Write a rollout file for the second image."""
        raw: dict[str, Any] = {
            "container": NAME,
            "engine": GROUP,
            "url": f"http://127.0.0.1:{self.port}",
            "run": {
                "image": "vllm:2",
                "command": [*COMMAND, "--port", str(self.port)],
                "environment": {"HF_TOKEN": None},
                "mounts": [*mounted(), *self.own_mounts()],
                "network": "host",
            },
            "expect": {"model": "gemma", "context": 65536},
            "limits": {"free_disk_gib": 0.1},
        }
        if change is not None:
            change(raw)
        path = self.folder / name
        path.write_text(yaml.safe_dump(raw, sort_keys=False))
        return path

    def own_mounts(self) -> list[str]:
        """The model and the patch."""
        return [f"{self.folder}/model:/models/gemma:ro", f"{self.folder}/patch.py:{PATCHED}:ro"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An engine that serves, with a mounted patch and a secret, and a second image beside it."""
    folder = tmp_path_factory.mktemp("site")
    with ExitStack() as stack:
        url = stack.enter_context(docker_here())
        client = docker.DockerClient(base_url=url)
        stack.callback(client.close)
        site = Site(url, client, folder, free_port())
        whole_model(folder / "model")
        (folder / "patch.py").write_text("VERSION = 1  # and ours\n")
        engine_image(client, "vllm:1")
        engine_image(client, "vllm:2", version="0.33.0")
        always: Any = {"Name": "unless-stopped", "MaximumRetryCount": 0}
        serving = client.containers.run(
            "vllm:1",
            [*COMMAND, "--port", str(site.port)],
            name=NAME,
            detach=True,
            network_mode="host",
            volumes=[*mounted(), *site.own_mounts()],
            environment={"HF_TOKEN": "hf_not_to_be_seen"},
            restart_policy=always,
        )
        stack.callback(remove_all, client)
        wait_for(lambda: b"startup complete" in serving.logs())
        serving.reload()
        site.started_at = serving.attrs["State"]["StartedAt"]
        yield site


def remove_all(client: docker.DockerClient) -> None:
    """Leave nothing that could be mounted still when Docker ends."""
    for one in client.containers.list(all=True):
        one.remove(force=True)


@pytest.fixture(autouse=True)
def alone(site: Site) -> Iterator[None]:
    """Each test begins with one container, ends with it, and has not touched it."""
    yield
    site.untouched()
    for one in site.client.containers.list(all=True):
        if one.name != NAME:
            one.remove(force=True)


def found(done: subprocess.CompletedProcess[str], check: str) -> list[dict[str, Any]]:
    """List what a plan in JSON found for one question."""
    return [one for one in json.loads(done.stdout)["findings"] if one["check"] == check]


# --- from what runs to what is staged ---------------------------------------------------


def test_what_runs_is_written_down_changed_and_staged_and_serves_on(site: Site):
    """The first file needs one change to be a plan, and stage makes what it says."""
    first = site.folder / "first.yaml"
    written = site.run(
        "init", "--from-container", NAME, "--engine", GROUP, "--output", first, "--force"
    )
    assert written.returncode == 0, written.stderr
    text = first.read_text()
    assert "hf_not_to_be_seen" not in text
    raw = yaml.safe_load(text)
    assert raw["run"]["environment"] == {"HF_TOKEN": None}
    assert raw["expect"]["model"] == "gemma"
    assert raw["url"] == f"http://127.0.0.1:{site.port}"

    same = site.run("plan", first, "--no-drills", "--without-baseline", "a test", "--format=json")
    assert json.loads(same.stdout)["changes"] == []
    first.write_text(text.replace("vllm:1", "vllm:2"))
    before = site.names()
    planned = site.run("plan", first, "--without-baseline", "a test", "--format=json")
    assert planned.returncode == 0, planned.stdout
    plan = json.loads(planned.stdout)
    assert [one["what"] for one in plan["changes"]] == ["image"]
    assert plan["effective"]["KV cache"] == "200,000 tokens"
    assert "no gateway is named" in plan["why_not_asked"]
    assert plan["needs_acceptance"] is True
    assert site.names() == before

    done = site.run("stage", first, "--without-baseline", "a test", "--format=json")
    assert done.returncode == 0, done.stdout + done.stderr
    staged = json.loads(done.stdout)
    assert site.names() == [NAME, NEXT]
    made = site.container(NEXT)
    assert made.status == "created"
    assert made.attrs["State"]["StartedAt"].startswith("0001")
    assert made.attrs["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert made.attrs["Image"] == staged["image"] == site.client.images.get("vllm:2").id
    assert "HF_TOKEN=hf_not_to_be_seen" in made.attrs["Config"]["Env"]
    kept = Path(staged["folder"]) / "patches"
    assert (next(kept.iterdir()) / "image").read_text() == PATCHED_TEXT

    status = json.loads(site.run("status", "--format=json").stdout)["rollouts"][0]
    assert (status["state"], status["row"]["without_baseline"]) == ("staged", "a test")
    assert status["serving"] == {
        "serving": f"{str(site.container().id)[:12]}, running",
        "old": True,
        "next": "created",
    }
    steps = [(one["step"], one["state"]) for one in status["steps"]]
    assert steps == [
        (step, state)
        for step in ("pin", "patches", "render", "create", "way_back")
        for state in ("begun", "done")
    ]
    assert "hf_not_to_be_seen" not in done.stdout + json.dumps(status)


def test_what_was_staged_before_is_replaced(site: Site):
    """There is one next container at most, and the journal says which one it is."""
    ids = []
    for _ in range(2):
        done = site.run(
            "stage", site.file(), "--no-drills", "--without-baseline", "x", "--format=json"
        )
        ids.append(json.loads(done.stdout)["container_id"])
        wait_for(lambda: site.names() == [NAME, NEXT])
    assert site.container(NEXT).id == ids[1] != ids[0]
    states = [one["state"] for one in rollouts(site)]
    assert states == ["staged", "replaced"]


def rollouts(site: Site) -> list[dict[str, Any]]:
    """List the journal, the newest first."""
    listed: list[dict[str, Any]] = json.loads(site.run("status", "--format=json").stdout)[
        "rollouts"
    ]
    return listed


def test_the_way_back_works_by_hand(site: Site):
    """Its commands, as they are written, bring the old container back from any state between."""
    if shutil.which("docker") is None:
        pytest.fail("the way back is written for Docker's own command, which is not here")
    done = site.run("stage", site.file(), "--no-drills", "--without-baseline", "x", "--format=json")
    text = (Path(json.loads(done.stdout)["folder"]) / "WAY-BACK.txt").read_text()
    commands = re.findall(r"^    (docker .*?)(?:\s+# .*)?$", text, re.MULTILINE)
    assert len(commands) == 6
    old = site.container()
    began = site.started_at
    # As a swap leaves it that was killed in the middle: the old one stopped and renamed.
    old.update(restart_policy=NEVER)
    old.stop(timeout=5)
    old.rename("vllm-old")
    site.client.containers.get(NEXT).rename(NAME)
    for command in commands[1:]:
        subprocess.run(
            ["bash", "-c", command], env={**os.environ, "DOCKER_HOST": site.url}, check=True
        )
    back = site.container()
    assert back.id == old.id
    assert back.status == "running"
    assert back.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert site.names() == [NAME, "vllm-failed"]
    site.started_at = back.attrs["State"]["StartedAt"]
    assert site.started_at != began


# --- what cannot work ----------------------------------------------------------------------


def with_image(name: str) -> Change:
    """Ask for another image."""
    return lambda raw: raw["run"].update(image=name)


def with_words(*words: str) -> Change:
    """Add to the command."""
    return lambda raw: raw["run"]["command"].extend(words)


def without(flag: str) -> Change:
    """Leave a flag out of the command."""
    return lambda raw: raw["run"]["command"].remove(flag)


def with_value(flag: str, value: str) -> Change:
    """Give a flag another value."""

    def change(raw: dict[str, Any]) -> None:
        words = raw["run"]["command"]
        words[words.index(flag) + 1] = value

    return change


def too_large(raw: dict[str, Any]) -> None:
    """Need more memory than any machine has."""
    raw["expect"]["memory_gib"] = 1_000_000


def from_nowhere(raw: dict[str, Any]) -> None:
    """Mount what is not there."""
    raw["run"]["mounts"].append("/nowhere/at/all:/data:ro")


def unknown_value(raw: dict[str, Any]) -> None:
    """Leave to the running container what it does not have."""
    raw["run"]["environment"]["VLLM_API_KEY"] = None


@pytest.mark.parametrize(
    ("change", "check", "came", "remedy"),
    [
        (with_image("vllm:3"), "image", "the image vllm:3 is not here", "docker pull vllm:3"),
        (with_words("--max-modell-len", "100"), "flags", "has no flag", "'--max-model-len'?"),
        (with_value("--tool-call-parser", "gema4"), "flags", "no tool-call parser", "'gemma4'?"),
        (without("--enable-auto-tool-choice"), "flags", "the new command has not", "Add:"),
        (with_value("--served-model-name", "x"), "model name", "serve x", "model-name gemma"),
        (with_words("--max-model-len", "4096"), "context", "4096", "expect less"),
        (from_nowhere, "mounts", "/nowhere/at/all is not there", "Make it"),
        (unknown_value, "values", "VLLM_API_KEY has none there", "leave the name out"),
        (too_large, "memory", "are available", "Ask for less"),
    ],
    ids=lambda one: one if isinstance(one, str) and " " not in one else "",
)
def test_what_cannot_work_is_refused_and_says_what_to_do(
    site: Site, change: Change, check: str, came: str, remedy: str
):
    """Plan and stage refuse alike, with exit code 1, and nothing is made."""
    file = site.file(change)
    for command in ("plan", "stage"):
        done = site.run(command, file, "--no-drills", "--without-baseline", "x", "--format=json")
        assert done.returncode == 1, done.stdout + done.stderr
        refused = [one for one in found(done, check) if one["answer"] == "refused"]
        assert len(refused) == 1
        assert came in refused[0]["came"]
        assert remedy in refused[0]["remedy"]
        assert site.names() == [NAME]
    assert rollouts(site) == []


def test_a_benchmark_is_asked_for_unless_somebody_says_why_not(site: Site):
    """Without a fresh one nothing is staged."""
    done = site.run("plan", site.file(), "--no-drills", "--format=json")
    assert done.returncode == 1
    (baseline,) = found(done, "baseline")
    assert baseline["came"] == "none is kept"
    assert "understudy bench run gemma" in baseline["remedy"]


def test_a_model_whose_shard_is_cut_short_is_refused(site: Site):
    """The old engine has the whole one in memory, and would be gone before anybody noticed."""
    shard = next((site.folder / "model").glob("*.safetensors"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-3])
    try:
        done = site.run(
            "plan", site.file(), "--no-drills", "--without-baseline", "x", "--format=json"
        )
    finally:
        shard.write_bytes(whole)
    assert done.returncode == 1
    assert "not fetched to its end" in found(done, "model")[0]["came"]


def test_a_patch_whose_target_changed_is_refused_until_it_is_made_for_it(site: Site):
    """The file says for which version a patch was made; then it may be mounted again."""
    engine_image(site.client, "vllm:changed", patched="VERSION = 2\n")
    change = with_image("vllm:changed")
    plan = ("--no-drills", "--without-baseline", "x", "--format=json")
    done = site.run("plan", site.file(change), *plan)
    assert done.returncode == 1
    (patch,) = found(done, "patches")
    made_for = re.search(r"patched_for: \{(\S+): ([0-9a-f]{64})\}", patch["remedy"])
    assert made_for is not None

    def made_anew(raw: dict[str, Any]) -> None:
        change(raw)
        raw["patched_for"] = {made_for[1]: made_for[2]}

    done = site.run("plan", site.file(made_anew), *plan)
    assert done.returncode == 0, done.stdout
    assert found(done, "patches")[0]["answer"] == "ok"


def test_a_port_that_another_process_has_is_refused(site: Site):
    """A port of somebody else would stop the start, after the old engine has gone."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = site.run(
            "plan",
            site.file(with_value("--port", port)),
            "--no-drills",
            "--without-baseline",
            "x",
            "--format=json",
        )
    assert done.returncode == 1
    (place,) = found(done, "place")
    assert place["came"] == "a process of this machine has it"
    assert port in place["asked"]


def test_the_next_one_s_name_is_not_taken_from_a_stranger(site: Site):
    """A container of that name that we did not make is never removed."""
    stranger = site.client.containers.create("vllm:1", name=NEXT)
    done = site.run("stage", site.file(), "--no-drills", "--without-baseline", "x", "--format=json")
    assert done.returncode == 1
    assert "Understudy did not make it" in found(done, "place")[0]["came"]
    assert site.container(NEXT).id == stranger.id


def test_a_container_that_goes_when_it_stops_is_refused(site: Site):
    """With --rm there would be no way back."""
    site.client.containers.run(
        "vllm:1", list(COMMAND), name="gone", detach=True, auto_remove=True, network_mode="none",
        volumes=[*mounted(), *site.own_mounts()],
    )  # fmt: skip
    file = site.file(lambda raw: raw.update(container="gone"))
    done = site.run("plan", file, "--no-drills", "--without-baseline", "x", "--format=json")
    assert done.returncode == 1
    assert "no way back" in found(done, "container")[0]["came"]


def test_a_container_that_is_not_there_is_refused(site: Site):
    """A misspelt name is no reason for a traceback."""
    file = site.file(lambda raw: raw.update(container="vlm"))
    done = site.run("plan", file, "--no-drills", "--without-baseline", "x", "--format=json")
    assert done.returncode == 1
    assert "there is no container 'vlm'" in found(done, "container")[0]["came"]
    missing = site.run("init", "--from-container", "vlm", "--engine", GROUP, "--output", "-")
    assert missing.returncode == 2
    assert "Did you mean 'vllm'?" in missing.stderr


# --- the trial without a GPU ------------------------------------------------------------------


def test_a_parser_that_does_not_read_what_the_template_writes_is_refused(site: Site):
    """Wrong parser, silent engine: it starts, it is healthy, and calls leak into the text."""
    file = site.file(with_value("--tool-call-parser", "hermes"))
    done = site.run("stage", file, "--no-drills", "--without-baseline", "x", "--format=json")
    assert done.returncode == 1, done.stdout
    (parsers,) = [one for one in json.loads(done.stdout)["findings"] if one["check"] == "parsers"]
    assert parsers["answer"] == "refused"
    assert "whole and streamed: no call" in parsers["came"]
    assert "It reads calls as hermes writes them" in parsers["remedy"]
    assert site.names() == [NAME]
    newest = rollouts(site)[0]
    assert newest["state"] == "refused"
    assert "no call" in newest["row"]["why"]


def test_a_package_without_the_parser_that_its_listing_names_does_not_start(site: Site):
    """What a listing cannot tell, the renderer's start does; its words are quoted."""
    engine_image(site.client, "vllm:liar", parsers=("gemma4", "imagined"))

    def change(raw: dict[str, Any]) -> None:
        with_image("vllm:liar")(raw)
        with_value("--tool-call-parser", "imagined")(raw)

    done = site.run(
        "stage", site.file(change), "--no-drills", "--without-baseline", "x", "--format=json"
    )
    assert done.returncode == 1, done.stdout + done.stderr
    (render,) = [one for one in json.loads(done.stdout)["findings"] if one["check"] == "render"]
    assert "invalid tool call parser: imagined" in render["came"]
    assert site.names() == [NAME]


def test_an_interruption_leaves_nothing_behind(site: Site):
    """Ctrl-C while the trial runs: the trial goes, nothing is staged, and the journal says so."""

    def never_answers(raw: dict[str, Any]) -> None:
        raw["run"]["environment"]["LAB_ENGINE"] = '{"start_s": 100000}'

    process = starting(
        *("rollout", "stage", site.file(never_answers), "--no-drills", "--without-baseline", "x"),
        DOCKER_HOST=site.url,
    )
    try:
        wait_for(lambda: "vllm-trial" in site.names())
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    finally:
        if process.poll() is None:
            process.kill()
    assert process.returncode == 130
    assert site.names() == [NAME]
    assert rollouts(site)[0]["state"] == "refused"
