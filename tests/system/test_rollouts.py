"""A real Docker engine, and the engine in it exchanged: planned, refused, staged, taken back.

Nothing here may touch what serves: each test ends with a look at it.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from supervisor.alerts.rules.installed import RULES
from supervisor.cli.rollout_parts import journal
from supervisor.probes.kinds.container import ContainerProbe
from supervisor.probes.standing import step, unseen
from supervisor.settings.model import Settings
from tests.fakes.commandline import starting
from tests.fakes.engine_image import PATCHED, PATCHED_TEXT, engine_image, mounted
from tests.fakes.manual_clock import NOON
from tests.fakes.rollout_site import (
    COMMAND,
    GROUP,
    NAME,
    NEVER,
    NEXT,
    Change,
    Site,
    a_site,
    found,
    from_nowhere,
    rollouts,
    serve,
    too_large,
    unknown_value,
    with_image,
    with_value,
    with_words,
    without,
)
from tests.fakes.snapshots import condition, snapshot
from tests.patience import PATIENCE_S, wait_for

pytestmark = pytest.mark.docker

_, OUTDATED = RULES


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An engine that serves, with a mounted patch and a secret, and a second image beside it."""
    with a_site(tmp_path_factory.mktemp("site")) as site:
        serve(site)
        yield site


@pytest.fixture(autouse=True)
def alone(site: Site) -> Iterator[None]:
    """Each test begins with one container, ends with it, and has not touched it."""
    yield
    site.untouched()
    for one in site.client.containers.list(all=True, ignore_removed=True):
        if one.name != NAME:
            one.remove(force=True)


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
        "which": "old",
        "old": "vllm, running",
        "new": "vllm-next, created",
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


@pytest.fixture
def patched(site: Site) -> Iterator[Callable[[str], None]]:
    """A container with the patch over an image, as an upgrade makes it anew under its name."""

    def made(image: str) -> None:
        for one in site.client.containers.list(all=True, filters={"name": "patched"}):
            one.remove(force=True)
        site.client.containers.create(
            image, ["true"], name="patched", volumes=[*mounted(), *site.own_mounts()]
        )

    yield made
    site.client.containers.get("patched").remove(force=True)


def compared(site: Site, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Run ``rollout patches``: the exit code, and what it found."""
    done = site.run("patches", "patched", "--format=json", *words)
    return done.returncode, json.loads(done.stdout)["patches"]


async def told(site: Site, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the daemon would tell now, of what it sees of the container and of the store."""
    monkeypatch.setenv("DOCKER_HOST", site.url)
    probe = ContainerProbe("gemma", "patched")
    reading = await probe.probe(NOON)
    standing, _ = step(unseen(probe.part, NOON), reading, probe.cadence, NOON, 0.1)
    # What a command has written into the store of these tests, as the daemon reads it.
    async with journal(Settings()) as store:
        status = snapshot(
            condition=condition(parts={probe.part: standing}), patches=await store.patches()
        )
    return [one.summary for one in OUTDATED.find(status)]


def test_a_patch_that_an_upgrade_has_overtaken_is_told(site: Site, patched, monkeypatch):
    """First that nobody has looked, then what was found, and nothing once it is accepted."""
    engine_image(site.client, "vllm:changed", patched="VERSION = 2\n")
    engine_image(site.client, "vllm:rebuilt", version="0.34.0")
    patched("vllm:1")
    assert asyncio.run(told(site, monkeypatch)) == []
    code, found_ = compared(site)
    assert (code, [one["target"] for one in found_]) == (0, [PATCHED])
    assert found_[0]["source"] == f"{site.folder}/patch.py"
    assert asyncio.run(told(site, monkeypatch)) == []

    patched(
        "vllm:rebuilt"
    )  # Another image with the same file: it has to be looked at all the same.
    (unknown,) = asyncio.run(told(site, monkeypatch))
    assert "runs another image" in unknown
    code, _ = compared(site)
    assert (code, asyncio.run(told(site, monkeypatch))) == (0, [])

    patched("vllm:changed")
    code, _ = compared(site)
    assert code == 1
    (changed,) = asyncio.run(told(site, monkeypatch))
    assert "hides what changed" in changed
    code, _ = compared(site, "--accept")
    assert (code, asyncio.run(told(site, monkeypatch))) == (0, [])

    done = site.run("patches", "patched")
    assert "fits: the image's own file is the one that it was made for" in done.stdout
    done = site.run("patches", "pached")
    assert (done.returncode, "patched" in done.stderr) == (2, True)


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
