"""Engines exchanged on a real Docker: accepted, refused by each gate, interrupted at every step.

Whatever happens, an engine serves at the end, the report says which and why, and nothing is lost.
"""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos.gateway.process import running_litellm
from chaos.gateway.redirect_permission import redirect_permission
from chaos.lab.engine_flags import EngineFlags
from chaos.lab.simulated_engine import SimulatedEngine
from chaos.lab.simulated_provider import simulated_provider
from chaos.process.ports import free_port
from supervisor.baseline import trust
from supervisor.rollout.exchange import restore
from supervisor.rollout.facts import Memory
from supervisor.rollout.journal import Journal
from supervisor.store.errors import StoreError
from supervisor.store.store import Store
from tests.fakes.commandline import starting
from tests.fakes.docker_engine import restartable_dockerd
from tests.fakes.rollout_site import NAME, Change, Site, a_site, remove_all, rollouts, serve
from tests.patience import PATIENCE_S, wait_for

pytestmark = pytest.mark.docker

OLD, FAILED = "vllm-old", "vllm-failed"


@pytest.fixture(scope="module")
def docker_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A Docker with two images."""
    with a_site(tmp_path_factory.mktemp("swaps")) as site:
        yield site


@pytest.fixture
def site(docker_site: Site) -> Iterator[Site]:
    """The same with an engine that serves, and no trace of the test before."""
    remove_all(docker_site.client)
    serve(docker_site, thinks=False, scores_nats=-2.0)
    yield docker_site
    remove_all(docker_site.client)


def staged(site: Site, change: Change | None = None, *options: str, **traits: Any) -> Path:
    """Stage the second image.

    Args:
        traits: Of the new engine while it serves.
    """

    def changed(raw: dict[str, Any]) -> None:
        serving = {"thinks": False, "scores_nats": -2.02, **traits}
        raw["run"]["environment"]["LAB_ENGINE"] = json.dumps({"serving": serving})
        raw["limits"] |= {"drain": "1s", "stop": "20s", "start": "10m"}
        if change is not None:
            change(raw)

    options = options or ("--without-baseline", "a test")
    done = site.run("stage", site.file(changed), "--no-drills", *options, "--format=json")
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(json.loads(done.stdout)["folder"])


def swapped(site: Site, *options: str) -> tuple[int, dict[str, Any]]:
    """Swap; gives the exit code and the report."""
    done = site.run("swap", "--accept-downtime", *options, "--format=json")
    assert done.stdout.startswith("{"), done.stderr
    return done.returncode, json.loads(done.stdout)


def serves(site: Site, identity: str) -> None:
    """The container of that id serves under the name, and starts by itself after a reboot."""
    container = site.container()
    assert container.id == identity
    assert container.status == "running"
    assert container.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def checks(report: dict[str, Any]) -> dict[str, str]:
    """What each gate said, by its name."""
    return {one["check"]: one["answer"] for one in report["findings"]}


# --- a swap that works, and back ------------------------------------------------------------


def test_a_swap_is_accepted_and_can_be_taken_back_at_any_time(site: Site):
    """Every gate is asked, the old container is kept, and comes back by one command."""
    old = str(site.container().id)
    staged(site, start_s=0.5)
    code, report = swapped(site)
    assert code == 0, report
    assert report["outcome"] == "accepted"
    assert checks(report) == {
        "start": "ok", "model": "ok", "context": "ok", "first token": "ok", "tool call": "ok",
        "canary": "ok", "gateway": "unknown", "speed": "unknown",
    }  # fmt: skip
    assert report["own_s"] == pytest.approx(report["away_s"] - report["start_s"])
    new = str(site.container().id)
    assert new != old
    serves(site, new)
    assert site.names() == [NAME, OLD]
    kept = site.container(OLD)
    assert kept.id == old
    assert kept.attrs["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert rollouts(site)[0]["serving"]["which"] == "new"

    done = site.run("rollback", "--format=json")
    assert done.returncode == 0, done.stdout
    serves(site, old)
    assert site.names() == [NAME, FAILED]
    assert rollouts(site)[0]["state"] == "restored"


def test_the_old_engine_is_asked_what_it_was_and_not_what_was_to_be(site: Site):
    """A swap to a longer context can be taken back to the shorter one."""

    def longer(raw: dict[str, Any]) -> None:
        raw["run"]["command"] += ["--max-model-len", "131072"]
        raw["expect"]["context"] = 131072

    old = str(site.container().id)
    staged(site, longer)
    code, report = swapped(site)
    assert (code, checks(report)["context"]) == (0, "ok")
    done = site.run("rollback", "--format=json")
    assert done.returncode == 0, done.stdout
    serves(site, old)


def test_what_was_exchanged_by_others_since_is_not_swapped(site: Site):
    """The plan was about another container."""
    staged(site)
    site.container().rename("vllm-elsewhere")
    done = site.run("swap", "--accept-downtime")
    assert done.returncode == 2
    assert "another container than when it was staged" in done.stderr
    assert site.container("vllm-elsewhere").status == "running"


def test_nobody_accepts_downtime_for_others(site: Site):
    """Where nothing shows who serves meanwhile, somebody has to say that it may be nobody."""
    staged(site)
    old = str(site.container().id)
    done = site.run("swap")
    assert done.returncode == 2
    assert "--accept-downtime" in done.stderr
    serves(site, old)


# --- refused ----------------------------------------------------------------------------------


def without_room(raw: dict[str, Any]) -> None:
    """Let the host's guard find too little from the first look on."""
    raw["limits"]["floor_gib"] = 1e6


def in_a_small_room(raw: dict[str, Any]) -> None:
    """Give the container less than it takes."""
    raw["run"]["memory"] = "400m"


def in_no_time(raw: dict[str, Any]) -> None:
    """Do not wait for a start."""
    raw["limits"]["start"] = "3s"


def expecting(**expected: Any) -> Change:
    """Expect more."""
    return lambda raw: raw["expect"].update(expected)


CASES: dict[str, tuple[Change | None, dict[str, Any], str, str]] = {
    "ends with code 0": (None, {"exit": 0}, "start", "its container ended, exit code 0"),
    "a fatal line": (
        None,
        {"exit": 1, "log": ["ValueError: No available memory for the cache blocks."]},
        "start",
        "No available memory for the cache blocks",
    ),
    "a forbidden line": (
        expecting(forbidden_log=["Falling back"]),
        {"start_s": 100000, "log": ["Falling back to EMULATION"]},
        "log",
        "Falling back to EMULATION",
    ),
    "an expected line is missing": (expecting(log=["FLASHMLA"]), {}, "log", "it has not"),
    "never healthy": (in_no_time, {"start_s": 100000}, "start", "does not answer after"),
    "another model name": (
        None,
        {"served_model_names": ["other"]},
        "model",
        "it serves other",
    ),
    "a shorter context": (None, {"max_model_len": 4096}, "context", "4,096 tokens"),
    "too small a cache": (expecting(kv_tokens=10**7), {}, "kv cache", "200,000 tokens"),
    "hung": (None, {"hung": True}, "first token", "no answer"),
    "no tool calls": (None, {"tool_call_parser": "hermes"}, "tool call", "no call, but"),
    "garbage": (None, {"scores_nats": -9.5}, "canary", "-9.50 nats a token, -2.00 before"),
    "too little memory": (without_room, {"start_s": 100000}, "host", "was killed after"),
    "Docker cannot start it": (
        lambda raw: raw["run"].update(devices=["/dev/there-is-none"]),
        {},
        "swap",
        "there-is-none",
    ),
    "eats its memory": (
        in_a_small_room,
        {"allocates_mib": 2000, "start_s": 100000},
        "start",
        "its container ended",
    ),
}


REPRESENTATIVE = ("ends with code 0", "another model name", "no tool calls", "garbage")
"""Of the gates, on every commit; the others by ``make test-rollouts``."""


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=() if case in REPRESENTATIVE else pytest.mark.thorough)
        for case in CASES
    ],
)
def test_each_gate_puts_the_old_engine_back(site: Site, case: str, monkeypatch: Any):
    """The report names the gate and what it saw; the log of what failed is kept."""
    monkeypatch.setattr("supervisor.rollout.exchange.gates.first_token.WITHIN_S", 2.0)
    change, traits, gate, came = CASES[case]
    old = str(site.container().id)
    folder = staged(site, change, **traits)
    code, report = swapped(site)
    assert code == 1
    assert report["outcome"] == "restored"
    assert report["refused"]["check"] == gate
    assert came in report["refused"]["came"]
    assert report["findings"][-1]["check"] == "way back"
    serves(site, old)
    assert site.names() == [NAME, FAILED]
    log = (folder / "new.log").read_text()
    assert "non-default args" in log or gate in ("swap", "host")
    assert rollouts(site)[0]["state"] == "restored"


def test_an_engine_that_is_slower_than_its_baseline_is_put_back(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """Measured as the baseline was, in the same way and with the same texts."""
    monkeypatch.setattr(trust, "MOST_DEVIATION_RATIO", 1e9)
    remove_all(site.client)
    slow = {"thinks": False, "writes_tokens": 200, "scores_nats": -2.0}
    serve(site, **slow, tokens_per_s=2000.0)
    old = str(site.container().id)
    engine = f"gemma=http://127.0.0.1:{site.port}"
    measured = site.bench("run", engine, "--runs", "2", "--warm-up", "0")
    assert measured.returncode == 0, measured.stdout + measured.stderr
    staged(site, None, "--no-hashes", **slow, tokens_per_s=400.0)
    code, report = swapped(site)
    assert (code, report["refused"]["check"]) == (1, "speed")
    assert "slower" in report["refused"]["came"]
    serves(site, old)


def test_memory_that_does_not_come_back_strands_nobody_for_good(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    """Nothing is started into it; it says that only a reboot helps, and then rollback does."""
    old = str(site.container().id)

    def needing(raw: dict[str, Any]) -> None:
        raw["expect"]["memory_gib"] = 0.1
        raw["limits"] |= {"memory": "1s", "free_memory_gib": 0}

    staged(site, needing)
    with monkeypatch.context() as patched:
        patched.setattr(restore, "read_memory", lambda: Memory(100 << 30, 1 << 20))
        code, report = swapped(site)
    assert (code, report["outcome"]) == (1, "stranded")
    assert "Only a reboot returns it" in report["trouble"]
    assert site.client.containers.list(ignore_removed=True) == []
    listed = rollouts(site)[0]
    assert (listed["state"], "reboot" in listed["row"]["why"]) == ("stranded", True)
    assert site.run("rollback").returncode == 0
    serves(site, old)


def test_a_disk_that_is_full_does_not_keep_the_old_engine_away(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    """What cannot be written down on the way forward ends the swap; the way back goes on."""
    old = str(site.container().id)
    staged(site)
    real = Store.note_rollout_step

    async def full(self: Store, name: str, step: str, *rest: Any) -> None:
        if step in ("start", "end_new", "old_back", "start_old"):
            raise StoreError("the disk is full", remedy="Make room.")
        await real(self, name, step, *rest)

    monkeypatch.setattr(Store, "note_rollout_step", full)
    code, report = swapped(site)
    assert (code, report["outcome"]) == (1, "restored")
    assert report["refused"]["came"] == "the disk is full"
    assert report["trouble"] == "the disk is full"
    serves(site, old)


def test_without_the_old_container_nothing_that_runs_is_ended(site: Site):
    """There is no way back, and it says so instead of leaving nobody."""
    staged(site)
    assert swapped(site)[0] == 0
    new = str(site.container().id)
    site.container(OLD).remove()
    done = site.run("rollback", "--format=json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["outcome"]) == (1, "stranded")
    assert "is gone, so what runs is left as it is" in report["trouble"]
    serves(site, new)


def test_an_old_engine_that_does_not_come_up_is_not_said_to_serve(site: Site):
    """It has come back, and ends at its start: nobody serves, and the report says so."""
    staged(site)
    assert swapped(site)[0] == 0
    # A file that it mounts is gone: what started yesterday does not today.
    mounted, gone = site.folder / "patch.py", site.folder / "patch.gone"
    mounted.rename(gone)
    try:
        done = site.run("rollback", "--format=json")
    finally:
        if mounted.is_dir():
            mounted.rmdir()  # Docker makes a folder of what is missing.
        gone.rename(mounted)
    report = json.loads(done.stdout)
    assert (done.returncode, report["outcome"]) == (1, "stranded")
    assert report["trouble"].startswith("it did not come up")
    assert rollouts(site)[0]["state"] == "stranded"


# --- interrupted -------------------------------------------------------------------------------

KILLED_ALWAYS = (("stop", "resume"), ("rename", "rollback"), ("gates", "rollback"))
"""On every commit; the others by ``make test-rollouts``."""

STEPS = ("drain", "stop", "evict", "rename", "start", "gates", "accept")


def killed_at(site: Site, step: str) -> None:
    """Run the swap in a process that ends, as by ``kill -9``, when *step* is in the journal."""
    pid = os.fork()
    if not pid:
        real = Journal.step

        def dying(self: Journal, name: str, /, **detail: Any) -> Any:
            entered = real(self, name, **detail)
            if name != step:
                return entered

            class Dying:
                async def __aenter__(self) -> dict[str, Any]:
                    await entered.__aenter__()
                    os._exit(9)

                async def __aexit__(self, *_: object) -> None: ...

            return Dying()

        Journal.step = dying  # type: ignore[method-assign]
        try:
            site.run("swap", "--accept-downtime")
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 9


@pytest.mark.parametrize(
    ("step", "way"),
    [
        pytest.param(
            step,
            way,
            marks=() if (step, way) in KILLED_ALWAYS else pytest.mark.thorough,
            id=f"{step}, {way}",
        )
        for step in STEPS
        for way in ("resume", "rollback")
    ],
)
def test_a_swap_that_was_killed_is_finished_or_taken_back(site: Site, step: str, way: str):
    """The status says where it stands and what to do; each way ends with an engine that serves."""
    old = str(site.container().id)
    staged(site)
    killed_at(site, step)
    status = rollouts(site)[0]
    assert status["state"] == "swapping"
    assert status["steps"][-1]["step"] == step
    assert status["steps"][-1]["state"] == "begun"
    told = site.run("status").stdout
    assert "swap --resume, or rollback" in " ".join(told.split())
    if way == "resume":
        code, report = swapped(site, "--resume")
        assert (code, report["outcome"]) == (0, "accepted")
        serves(site, str(site.container().id))
        assert site.container(OLD).id == old
    else:
        done = site.run("rollback", "--format=json")
        assert done.returncode == 0, done.stdout + done.stderr
        serves(site, old)
    assert len(site.client.containers.list(ignore_removed=True)) == 1


def test_ctrl_c_puts_the_old_engine_back(site: Site):
    """In the middle of a start that takes for ever."""
    old = str(site.container().id)
    staged(site, start_s=100000)
    process = starting("rollout", "swap", "--accept-downtime", DOCKER_HOST=site.url)
    try:
        wait_for(lambda: OLD in site.names() and site.container().status == "running")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    finally:
        if process.poll() is None:
            process.kill()
    assert process.returncode == 130
    serves(site, old)
    assert rollouts(site)[0]["state"] == "restored"


@pytest.mark.thorough
def test_a_docker_that_is_started_anew_in_the_middle_is_waited_for(tmp_path: Path):
    """Its containers have ended with it; the old engine is started again when Docker is back."""
    if os.geteuid() != 0:
        pytest.skip("a Docker engine of its own needs root")
    with restartable_dockerd() as (url, end, begin), a_site(tmp_path, url) as site:
        old = str(serve(site, thinks=False).id)
        staged(site, start_s=100000)
        process = starting("rollout", "swap", "--accept-downtime", DOCKER_HOST=url)
        try:
            wait_for(lambda: OLD in site.names() and site.container().status == "running")
            end()
            begin()
            process.communicate(timeout=PATIENCE_S)
        finally:
            if process.poll() is None:
                process.kill()
        assert process.returncode == 1
        serves(site, old)
        assert rollouts(site)[0]["state"] == "restored"


# --- users, through a real gateway --------------------------------------------------------------


def configuration(site: Site, backup: str, provider: str, witness: int) -> dict[str, Any]:
    """A gateway in which a paid model falls back to the engine, and the engine to another one."""
    allowed = {"configurable_clientside_auth_params": [{"api_base": redirect_permission(witness)}]}
    models = {
        "claude": {
            "model": "anthropic/claude-sonnet-4-5",
            "api_base": provider,
            "api_key": "sk-paid",
        },
        "gemma": {
            "model": "hosted_vllm/gemma",
            "api_base": f"http://127.0.0.1:{site.port}/v1",
        },
        "backup": {"model": "hosted_vllm/backup", "api_base": backup},
    }
    return {
        "model_list": [
            {"model_name": name, "litellm_params": {**one, **allowed}}
            for name, one in models.items()
        ],
        "router_settings": {
            "num_retries": 0,
            "fallbacks": [{"claude": ["gemma"]}, {"gemma": ["backup"]}],
        },
    }


@pytest.fixture
def staged_site(site: Site) -> Site:
    """A new engine that takes a while to come up."""
    staged(site, start_s=3)
    return site


@pytest.mark.litellm
async def test_no_user_is_lost_whom_the_chain_can_serve(
    staged_site: Site, litellm_executable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Drills show who serves meanwhile, so no downtime has to be accepted; users are answered."""
    monkeypatch.setenv("GATEWAY_KEY", "sk-master-of-the-test")
    witness = free_port()
    flags = EngineFlags(served_model_names=("backup",), thinks=False)
    async with SimulatedEngine(flags) as backup, simulated_provider() as provider:
        config = configuration(
            staged_site, backup.base_url, provider.base_url("anthropic"), witness
        )
        async with running_litellm(
            litellm_executable, config, master_key="sk-master-of-the-test", directory=tmp_path
        ) as litellm:
            settings = tmp_path / "understudy.yaml"
            settings.write_text(
                json.dumps(
                    {
                        "gateway": {"url": litellm.url, "key": {"env": "GATEWAY_KEY"}},
                        "witness": {
                            "listen": [f"127.0.0.1:{witness}"],
                            "url": f"http://127.0.0.1:{witness}",
                        },
                    }
                )
            )
            process = await asyncio.create_subprocess_exec(
                *staged_site.command("swap", "--config", settings, "--format", "json"),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "DOCKER_HOST": staged_site.url},
            )
            out, err = await process.communicate()
    assert process.returncode == 0, (out + err).decode()
    report = json.loads(out)
    assert report["outcome"] == "accepted"
    assert checks(report)["gateway"] == "ok"
    served = report["served"]
    assert served["asked"] == "through the gateway, as a user of gemma"
    assert served["lost"] == 0, served
    assert sum(served["by"].values()) >= 5
    assert any("fallback" in name for name in served["by"]), served
