"""The container image and the Compose project, as their notes make them, on a real Docker engine.

Images cannot be pulled here. Understudy's is built as the note says, on a Debian root; LiteLLM,
Prometheus and Alertmanager are this machine's own programs, mounted; vLLM is the simulated engine.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import docker
import pytest
import yaml

from chaos.process.ports import free_port
from tests.fakes.commandline import succeeds
from tests.fakes.debian_box import PYTHONS, REPOSITORY, pristine_root
from tests.fakes.docker_engine import MOUNTED, any_dockerd, empty_image
from tests.patience import PATIENCE_S

RELEASE = "trixie"
BASE, IMAGE, HOST = "understudy-base:test", "understudy:dev", "understudy-host:test"
MOST_OVER_BASE_BYTES = 120_000_000
NOTE = REPOSITORY / "deploy" / "compose" / "README.md"
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    """A Docker engine; gives what DOCKER_HOST must be."""
    with any_dockerd() as url:
        yield url


@pytest.fixture(scope="module")
def client(engine: str) -> Iterator[docker.DockerClient]:
    """A client of it."""
    client = docker.DockerClient(base_url=engine, timeout=int(PATIENCE_S))
    yield client
    client.close()


@pytest.fixture(scope="module")
def image(engine: str, client: docker.DockerClient, lab_dir: Path) -> Any:
    """Understudy's image, by the note's command; only its base is another one."""
    root = pristine_root(RELEASE, lab_dir / "box")
    name, tag = BASE.split(":")
    with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as packed:
        client.api.import_image_from_data(packed.stdout, repository=name, tag=tag)
    assert packed.returncode == 0
    (command,) = re.findall(r"(?m)^make image .*$", NOTE.read_text())
    command = re.sub(r"BASE=\S+", f"BASE={BASE}", command)
    command = re.sub(r"PYTHON_VERSION=\S+", f"PYTHON_VERSION={PYTHONS[RELEASE]}", command)
    ran(command, cwd=REPOSITORY, DOCKER_HOST=engine)
    return client.images.get(IMAGE)


def ran(script: str, cwd: Path, **environment: str) -> str:
    """Run a script of the note that must succeed; gives what it printed."""
    return succeeds("bash", "-euo", "pipefail", "-c", script, cwd=cwd, **environment)


def test_the_image_adds_little_runs_as_nobody_and_looks_after_itself(
    client: docker.DockerClient, image: Any
):
    """At most 120 MB over its base, a user by number, a health check."""
    over = image.attrs["Size"] - client.images.get(BASE).attrs["Size"]
    assert over <= MOST_OVER_BASE_BYTES
    config = image.attrs["Config"]
    assert config["User"] == "65532:65532"
    assert "healthz" in str(config["Healthcheck"]["Test"])
    assert set(config["ExposedPorts"]) == {"8940/tcp", "8941/tcp"}
    assert list(config["Volumes"]) == ["/var/lib/understudy"]


def test_the_image_runs_on_a_read_only_file_system_without_capabilities(
    client: docker.DockerClient, image: Any
):
    """Its command is there, and says how it ends when it has no gateway."""
    locked: dict[str, Any] = {
        "read_only": True,
        "cap_drop": ["ALL"],
        "network_mode": "none",
        "remove": True,
    }
    assert client.containers.run(image, "--version", **locked).startswith(b"understudy ")
    with pytest.raises(docker.errors.ContainerError) as refused:
        client.containers.run(image, **locked)
    assert refused.value.exit_status == 2
    assert b"gateway" in (refused.value.stderr or b"")


@dataclass(frozen=True)
class Project:
    """The project, up.

    Attributes:
        folder: Where its files are.
        token: The page's.
        ports: Of this machine, by service.
        compose: Runs a command of Compose's.
    """

    folder: Path
    token: str
    ports: dict[str, int]
    compose: Callable[[str], str]

    def get(self, service: str, path: str, **headers: str) -> tuple[int, bytes]:
        """Ask a published port."""
        request = Request(f"http://127.0.0.1:{self.ports[service]}{path}", headers=headers)
        try:
            with urlopen(request, timeout=PATIENCE_S) as reply:
                return reply.status, reply.read()
        except HTTPError as refused:
            return refused.code, refused.read()

    def as_owner(self) -> dict[str, str]:
        """As a browser sends the token."""
        return {"Authorization": "Basic " + base64.b64encode(f"me:{self.token}".encode()).decode()}

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait until *holds* returns something true."""
        end = time.monotonic() + PATIENCE_S
        while not (found := holds()):
            assert time.monotonic() < end, f"never came: {what}\n{self.compose('logs --tail=40')}"
            time.sleep(0.5)
        return found


def local(lab_dir: Path) -> dict[str, Any]:
    """Say what is different where no image can be pulled."""
    python = Path(os.path.realpath(lab_dir / "litellm" / "bin" / "python")).parents[1]
    mounted = [f"{folder}:{folder}:ro" for folder in (*MOUNTED, str(python), str(lab_dir))]
    return {
        "litellm": {
            "entrypoint": [str(lab_dir / "litellm" / "bin" / "litellm")],
            "volumes": mounted,
            "environment": {
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_TELEMETRY": "False",
                "HOME": "/tmp",
            },
        },
        "vllm": {
            "entrypoint": ["python", "/engine_in_container.py"],
            "volumes": [f"{HERE}/engine_in_container.py:/engine_in_container.py:ro"],
        },
        "prometheus": {
            "entrypoint": ["/usr/bin/prometheus", "--config.file=/etc/prometheus/prometheus.yml"],
            "volumes": mounted,
        },
        "alertmanager": {
            "entrypoint": [
                "/usr/bin/prometheus-alertmanager",
                "--config.file=/etc/alertmanager/alertmanager.yml",
                "--cluster.listen-address=",
            ],
            "volumes": mounted,
        },
    }


@pytest.fixture(scope="module")
def project(
    engine: str,
    client: docker.DockerClient,
    image: Any,
    lab_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Project]:
    """Follow the note: its own commands, in a copy of its folder."""
    assert image
    clone = tmp_path_factory.mktemp("clone")
    for name in ("deploy", "config"):
        shutil.copytree(REPOSITORY / name, clone / name)
    folder = clone / "deploy" / "compose"
    empty_image(client, HOST)
    (folder / "local.yaml").write_text(
        yaml.safe_dump({"version": "3.9", "services": local(lab_dir)})
    )
    _, prepare, start, *_ = re.findall(r"(?ms)^```sh\n(.*?)^```", NOTE.read_text())
    ran(prepare, cwd=folder)
    services = ("understudy", "litellm", "prometheus", "alertmanager")
    ports = {service: free_port() for service in services}
    chosen = {
        "COMPOSE_FILE": "compose.yaml:local.yaml",
        "COMPOSE_PROJECT_NAME": "understudytest",
        "LITELLM_IMAGE": HOST,
        "VLLM_IMAGE": IMAGE,
        "VLLM_MODEL": "simulated",
        "VLLM_TOOL_CALL_PARSER": "gemma4",
        "PROMETHEUS_IMAGE": HOST,
        "ALERTMANAGER_IMAGE": HOST,
        "ANTHROPIC_API_KEY": "sk-ant-never-used",
        "LITELLM_MASTER_KEY": "sk-compose-master",
        "LITELLM_KEY": "sk-compose-master",
        **{f"{name.upper()}_PORT": str(port) for name, port in ports.items()},
    }
    with (folder / ".env").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in chosen.items())

    def compose(arguments: str) -> str:
        # Debian's Compose is older: its command has a dash, and exec asks for a terminal.
        arguments = re.sub(r"^exec ", "exec -T ", arguments)
        return ran(f"docker-compose {arguments}", cwd=folder, DOCKER_HOST=engine)

    try:
        compose(start.strip().removeprefix("docker compose "))
        token = (folder / "secrets" / "understudy-token").read_text().strip()
        yield Project(folder, token, ports, compose)
    finally:
        compose("down --volumes --timeout 20")


def test_paths_are_proven_within_seconds_of_the_start(project: Project):
    """By the command of the note: the engine answered, through LiteLLM, for the paid group."""

    def proven() -> Any:
        known = json.loads(project.compose("exec understudy understudy coverage --format json"))
        return known["paths"] and set(known["states"]) == {"proven"} and known

    known = project.until(proven, "proven paths")
    assert {(path["group"], path["hop"]) for path in known["paths"]} >= {("claude", "local")}


def test_nothing_keeps_it_from_working(project: Project):
    """The doctor finds every group permitted to come to the witness, and nothing that fails."""
    printed = project.compose("exec understudy understudy doctor || true")
    assert "may be redirected to http://understudy:8941: claude, local" in printed, printed
    assert not re.search(r"(?m)^fail", printed), printed


def test_the_page_wants_the_token_and_shows_what_is_proven(project: Project):
    """From the host it comes from beyond loopback, so it is asked for; health is open."""
    assert project.get("understudy", "/")[0] == 401
    assert project.get("understudy", "/healthz")[0] == 200
    status, page = project.get("understudy", "/", **project.as_owner())
    assert status == 200
    assert b"claude" in page


def test_prometheus_reads_it_and_its_rules_reach_alertmanager(project: Project):
    """With the token from its file; the alert that always fires is the proof."""

    def up() -> bool:
        found = json.loads(project.get("prometheus", "/api/v1/query?query=up")[1])
        values = {one["metric"]["job"]: one["value"][1] for one in found["data"]["result"]}
        return values == {"understudy": "1", "litellm": "1"}

    def arrived() -> bool:
        alerts = json.loads(project.get("alertmanager", "/api/v2/alerts")[1])
        return any(alert["labels"]["alertname"] == "Watchdog" for alert in alerts)

    project.until(up, "both targets up")
    project.until(arrived, "an alert")


def looked_at(client: docker.DockerClient) -> Any:
    """Look at Understudy's container."""
    (container,) = client.containers.list(
        all=True, filters={"label": "com.docker.compose.service=understudy"}
    )
    return container.attrs


def test_the_container_is_locked_up_and_healthy(project: Project, client: docker.DockerClient):
    """No capabilities, nothing writable but its volume, and the witness is not published."""
    project.until(
        lambda: looked_at(client)["State"]["Health"]["Status"] == "healthy",
        "a healthy container",
    )
    held = looked_at(client)
    assert held["HostConfig"]["ReadonlyRootfs"]
    assert held["HostConfig"]["CapDrop"] == ["ALL"]
    assert list(held["HostConfig"]["PortBindings"]) == ["8940/tcp"]
    assert held["HostConfig"]["PortBindings"]["8940/tcp"][0]["HostIp"] == "127.0.0.1"


def test_a_changed_configuration_is_read_by_the_command_of_the_note(project: Project):
    """Written into the file that is mounted; the signal passes the container's init."""
    file = project.folder / "understudy.yaml"
    file.write_text(file.read_text() + "\nrehearse: {shapes: [tool_call]}\n")
    (command,) = re.findall(r"`docker compose (kill [^`]+)`", NOTE.read_text())
    project.compose(command)

    def narrowed() -> bool:
        printed = project.compose("exec understudy understudy coverage --format json")
        return {path["shape"] for path in json.loads(printed)["paths"]} == {"tool_call"}

    project.until(narrowed, "the changed configuration")


def test_what_was_proven_outlives_the_container(project: Project):
    """Made anew, as an upgrade does it, it knows its drills and its name."""
    history = "exec understudy understudy history --format json --limit"
    before = json.loads(project.compose(f"{history} 1"))
    project.compose("up --detach --force-recreate --no-deps understudy")

    def back() -> Any:
        try:
            return json.loads(project.compose(f"{history} 500"))
        except AssertionError:
            return None

    after = project.until(back, "the new container")
    known = {one["drill"]["id"] for one in after["drills"]}
    assert before["drills"][0]["drill"]["id"] in known


def test_it_ends_in_order_when_it_is_stopped(project: Project, client: docker.DockerClient):
    """Within its grace, by itself: SIGTERM ends the daemon with 143."""
    project.compose("stop understudy")
    assert looked_at(client)["State"]["ExitCode"] == 143
    project.compose("start understudy")


def test_the_files_for_a_gpu_are_valid(project: Project):
    """Compose takes both files together; that nothing is missing in .env is checked too."""
    merged = yaml.safe_load(project.compose("-f compose.yaml -f compose.gpu.yaml config"))
    devices = merged["services"]["vllm"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices[0]["capabilities"] == ["gpu"]
