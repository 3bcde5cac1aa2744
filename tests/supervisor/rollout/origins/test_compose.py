"""What Compose would run of a service."""

import shutil
from pathlib import Path

import pytest
import yaml

from chaos.errors import SetupError, UsageError
from supervisor.rollout.container_spec import SAME, ContainerSpec, Mount, Port
from supervisor.rollout.origins.compose import origin_of, resolved

VERSION_2 = """
name: ai
services:
  vllm:
    command:
      - --model
      - /models/gemma
      - --api-key
      - sk-sesame
      - --override
      - $${x}
    container_name: vllm-gemma
    deploy:
      resources:
        limits:
          memory: "107374182400"
        reservations:
          devices:
            - capabilities: [gpu]
              driver: nvidia
              count: -1
      placement: {}
    entrypoint: null
    environment:
      HF_TOKEN: hf_sesame
      VLLM_USE_V1: "1"
      EMPTY: ""
      FROM_OUTSIDE: null
    extra_hosts:
      - host.docker.internal=host-gateway
    image: vllm/vllm-openai:v0.11.0
    ipc: host
    labels:
      team: ml
    logging:
      driver: json-file
      options:
        max-size: 10m
    networks:
      default: null
    ports:
      - mode: ingress
        host_ip: 127.0.0.1
        target: 8000
        published: "8001"
        protocol: tcp
    restart: unless-stopped
    shm_size: "17179869184"
    ulimits:
      memlock: -1
      nofile:
        soft: 1024
        hard: 4096
    volumes:
      - type: bind
        source: /srv/models
        target: /models
        read_only: true
        bind:
          create_host_path: true
networks:
  default:
    name: ai_default
"""

VERSION_1 = """
services:
  vllm:
    command: --model /models/gemma --api-key=sk-sesame
    container_name: vllm-gemma
    deploy:
      resources:
        reservations:
          devices:
          - capabilities:
            - gpu
            device_ids:
            - '0'
            - '1'
            driver: nvidia
    devices:
    - /dev/infiniband:/dev/infiniband
    environment:
      HF_TOKEN: hf_sesame
      VLLM_USE_V1: '1'
    extra_hosts:
      host.docker.internal: host-gateway
    image: vllm/vllm-openai:v0.11.0
    network_mode: host
    shm_size: 16gb
    tmpfs:
    - /tmp:size=1g
    - /run
    volumes:
    - /srv/models:/models:ro
    - /srv/cache:/root/.cache:rw
version: '3.8'
"""


def service(**keys):
    """Read a service with these keys beside the ones that it needs."""
    whole = {"services": {"s": {"image": "i", "container_name": "c", **keys}}}
    return origin_of(yaml.safe_dump(whole, sort_keys=False), "s", name="compose.yaml")


def test_what_version_2_prints_is_read_whole():
    """Ports and volumes in their long form, networks by the name that they really have."""
    origin = origin_of(VERSION_2, "vllm", name="compose.yaml")
    assert (origin.container, origin.source) == ("vllm-gemma", "vllm in compose.yaml")
    assert origin.left_out == ()
    assert origin.spec == ContainerSpec(
        image="vllm/vllm-openai:v0.11.0",
        command=("--model", "/models/gemma", "--api-key", SAME, "--override", "${x}"),
        environment={"HF_TOKEN": None, "VLLM_USE_V1": "1", "EMPTY": "", "FROM_OUTSIDE": None},
        mounts=(Mount(source="/srv/models", target="/models", read_only=True),),
        gpus="all",
        network="ai_default",
        ports=(Port(inside=8000, host=8001, address="127.0.0.1"),),
        ipc="host",
        shm_size="16g",
        ulimits={"memlock": "-1", "nofile": "1024:4096"},
        memory="100g",
        hosts=("host.docker.internal:host-gateway",),
        labels={"team": "ml"},
        log_driver="json-file",
        log_options={"max-size": "10m"},
        restart="unless-stopped",
    )


def test_what_version_1_prints_is_read_whole():
    """There they are texts; and without a restart policy it is not restarted."""
    origin = origin_of(VERSION_1, "vllm", name="compose.yaml")
    assert origin.left_out == ()
    assert origin.spec == ContainerSpec(
        image="vllm/vllm-openai:v0.11.0",
        command=("--model", "/models/gemma", f"--api-key={SAME}"),
        environment={"HF_TOKEN": None, "VLLM_USE_V1": "1"},
        mounts=(
            Mount(source="/srv/models", target="/models", read_only=True),
            Mount(source="/srv/cache", target="/root/.cache"),
        ),
        gpus="device=0,1",
        devices=("/dev/infiniband:/dev/infiniband",),
        network="host",
        shm_size="16g",
        tmpfs={"/tmp": "size=1g", "/run": ""},
        hosts=("host.docker.internal:host-gateway",),
        restart="no",
    )


@pytest.mark.parametrize("text", [VERSION_2, VERSION_1], ids=["version 2", "version 1"])
def test_no_secret_is_taken_from_a_compose_file(text):
    """Neither from a variable nor from a flag."""
    assert "sesame" in text
    assert "sesame" not in repr(origin_of(text, "vllm", name="compose.yaml"))


def test_an_unknown_service_is_told_with_those_that_there_are():
    """The name is typed by a person."""
    with pytest.raises(UsageError) as error:
        origin_of("services: {a: {image: i}, b: {image: i}}", "vllm", name="compose.yaml")
    assert error.value.message == "compose.yaml: no service 'vllm'"
    assert error.value.remedy == "Its services: a, b."


@pytest.mark.parametrize("text", ["", "[]", "services: {}", "services: [s]", "services: {s: }"])
def test_a_file_without_the_service_is_no_compose_file(text):
    """Nothing else is guessed."""
    with pytest.raises(UsageError, match="no service 's'"):
        origin_of(text, "s", name="compose.yaml")


def test_what_is_no_yaml_is_told_so():
    """Compose may print a warning before it."""
    with pytest.raises(UsageError, match=r"^compose\.yaml: not YAML"):
        origin_of("a: b: c", "s", name="compose.yaml")


def test_a_service_that_does_not_name_its_container_asks_for_it():
    """Compose would make up a name."""
    text = "services: {s: {image: i}}"
    with pytest.raises(UsageError) as error:
        origin_of(text, "s", name="compose.yaml")
    assert "does not name its container" in error.value.message
    assert "--container NAME" in error.value.remedy
    assert origin_of(text, "s", name="compose.yaml", container="ai-s-1").container == "ai-s-1"


def test_the_container_that_a_person_names_comes_first():
    """The file may have changed since it was started."""
    text = "services: {s: {image: i, container_name: new}}"
    assert origin_of(text, "s", name="compose.yaml", container="old").container == "old"


def test_a_service_that_only_builds_its_image_is_refused():
    """A rollout needs an image that can be named."""
    with pytest.raises(UsageError, match="builds its image and does not name it"):
        origin_of("services: {s: {build: ., container_name: c}}", "s", name="compose.yaml")
    text = "services: {s: {build: ., image: mine:1, container_name: c}}"
    assert origin_of(text, "s", name="compose.yaml").spec.image == "mine:1"


def test_a_value_that_a_file_cannot_hold_is_told_with_its_service():
    """All at once."""
    with pytest.raises(UsageError) as error:
        service(shm_size="lots", restart="sometimes", volumes=["/anonymous"])
    assert error.value.message.startswith("compose.yaml, service s: 3 problems\n")
    assert "mounts[0]" in error.value.message


def test_what_a_file_cannot_say_is_told():
    """By its key, and without what is no part of a container."""
    left_out = service(
        cpus=4,
        pids_limit=100,
        depends_on={"db": {}},
        profiles=["gpu"],
        healthcheck={"test": ["CMD", "true"]},
        networks={"front": None, "back": None, "third": None},
    ).left_out
    assert left_out == (
        "cpus: 4",
        "pids_limit: 100",
        "its health check",
        "further networks: back, third",
    )


@pytest.mark.parametrize(
    ("keys", "name", "value"),
    [
        ({"command": "a 'b c' $$D"}, "command", ("a", "b c", "$D")),
        ({"command": None}, "command", None),
        ({"command": []}, "command", ()),
        ({"entrypoint": ["vllm", "serve"]}, "entrypoint", ("vllm", "serve")),
        ({"environment": ["A=b=c", "B"]}, "environment", {"A": "b=c", "B": None}),
        ({"environment": {"A": 1, "API_KEY": ""}}, "environment", {"A": "1", "API_KEY": ""}),
        ({"gpus": "all"}, "gpus", "all"),
        ({"gpus": [{"count": 2}]}, "gpus", "2"),
        ({"gpus": [{"device_ids": ["3"], "capabilities": ["gpu"]}]}, "gpus", "device=3"),
        ({"gpus": [{"capabilities": ["tpu"]}]}, "gpus", None),
        ({"mem_limit": "100g"}, "memory", "100g"),
        ({"ports": ["127.0.0.1:8001:8000/tcp"]}, "ports", (Port.parse("127.0.0.1:8001:8000"),)),
        (
            {"ports": [{"target": 53, "published": 5353, "protocol": "udp"}]},
            "ports",
            (Port(inside=53, host=5353, protocol="udp"),),
        ),
        ({"ports": [{"target": 80}]}, "ports", (Port(inside=80),)),
        (
            {"volumes": [{"type": "volume", "source": "hf", "target": "/c"}]},
            "mounts",
            (Mount(source="hf", target="/c"),),
        ),
        (
            {"devices": [{"source": "/dev/a", "target": "/dev/b", "permissions": "r"}]},
            "devices",
            ("/dev/a:/dev/b:r",),
        ),
        ({"tmpfs": "/tmp"}, "tmpfs", {"/tmp": ""}),
        ({"extra_hosts": ["a:1.2.3.4"]}, "hosts", ("a:1.2.3.4",)),
        ({"labels": ["a=b"]}, "labels", {"a": "b"}),
        ({"networks": {"back": None}}, "network", "back"),
        ({}, "network", "bridge"),
        ({"group_add": [44]}, "groups", ("44",)),
        ({"security_opt": ["seccomp=unconfined"]}, "security", ("seccomp=unconfined",)),
        ({"cap_add": ["SYS_NICE"]}, "cap_add", ("SYS_NICE",)),
        ({"cap_drop": ["ALL"]}, "cap_drop", ("ALL",)),
        ({"privileged": True}, "privileged", True),
        ({"read_only": True}, "read_only", True),
        ({"init": True}, "init", True),
        ({"runtime": "nvidia"}, "runtime", "nvidia"),
        ({"user": "1000:1000"}, "user", "1000:1000"),
        ({"working_dir": "/srv"}, "working_dir", "/srv"),
        ({"stop_signal": "SIGINT"}, "stop_signal", "SIGINT"),
        ({"pid": "host"}, "pid", "host"),
        ({"restart": "on-failure:3"}, "restart", "on-failure:3"),
        ({"restart": "no"}, "restart", "no"),
    ],
    ids=lambda one: "" if isinstance(one, tuple) else str(one)[:60],
)
def test_a_key_is_read_in_each_of_its_forms(keys, name, value):
    """Compose prints them as it likes."""
    assert getattr(service(**keys).spec, name) == value


# --- Compose itself --------------------------------------------------------------------------

SMALL = """
services:
  vllm:
    image: vllm/vllm-openai:${TAG:-v0.11.0}
    container_name: ${NAME:-vllm-gemma}
    command: --model /models/gemma --port ${PORT:-8000}
    network_mode: host
    environment: {HF_TOKEN: "${HF_TOKEN:-none}"}
    volumes: ["./models:/models:ro"]
    restart: unless-stopped
"""


@pytest.fixture
def file(tmp_path):
    """A Compose file with variables and defaults."""
    path = tmp_path / "docker-compose.yml"
    path.write_text(f"version: '3.8'\n{SMALL}", "utf-8")
    return path


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that is all of PATH, and a way to put a program there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def put(name: str, script: str) -> None:
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        program.chmod(0o755)

    return put


def test_a_compose_file_that_is_missing_is_told(tmp_path):
    """Before Compose is asked."""
    with pytest.raises(UsageError, match=r"none\.yml: there is no such file"):
        resolved(tmp_path / "none.yml")


def test_without_compose_another_way_is_told(file, programs):
    """A container that runs is enough."""
    with pytest.raises(SetupError, match="there is no Docker Compose to read") as error:
        resolved(file)
    assert "--from-container NAME" in error.value.remedy


def test_what_compose_refuses_is_told_in_its_words(file, programs):
    """A person mends the file."""
    programs("docker", "echo 'services.vllm: unknown field' >&2; exit 15")
    programs("docker-compose", "echo 'not asked'")
    with pytest.raises(UsageError, match=r"Compose refuses it: services\.vllm: unknown"):
        resolved(file)


@pytest.mark.parametrize(
    "told",
    [
        "docker: 'compose' is not a docker command.",
        "docker: unknown command: docker compose",
        "unknown flag: --file",
        "unknown shorthand flag: 'f' in -f",
    ],
)
def test_a_docker_without_compose_is_not_the_last_word(file, programs, told):
    """docker-compose may be there by itself, as Debian has it."""
    programs("docker", f'echo "{told}" >&2; exit 125')
    programs("docker-compose", 'echo "asked: $*"')
    assert resolved(file) == f"asked: --file {file} config\n"


def test_docker_is_asked_first(file, programs):
    """Its own Compose is the newer one."""
    programs("docker", 'echo "asked: $*"')
    programs("docker-compose", "exit 1")
    assert resolved(file) == f"asked: compose --file {file} config\n"


def test_a_program_that_cannot_be_started_is_told_why(file, programs, tmp_path):
    """It is there, and it is none."""
    programs("docker-compose", "")
    (tmp_path / "bin" / "docker-compose").write_text("#!/none/such\n", "utf-8")
    with pytest.raises(SetupError, match="No such file or directory"):
        resolved(file)


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not here")
def test_a_real_file_is_read_as_compose_reads_it(file, monkeypatch):
    """Variables, defaults and relative paths are Compose's own affair."""
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv("HF_TOKEN", "hf_sesame")
    for name in ("TAG", "NAME"):
        monkeypatch.delenv(name, raising=False)
    origin = origin_of(resolved(file), "vllm", name=str(file))
    assert origin.container == "vllm-gemma"
    assert origin.spec == ContainerSpec(
        image="vllm/vllm-openai:v0.11.0",
        command=("--model", "/models/gemma", "--port", "8123"),
        environment={"HF_TOKEN": None},
        mounts=(Mount(source=str(Path(file).parent / "models"), target="/models", read_only=True),),
        network="host",
        restart="unless-stopped",
    )
