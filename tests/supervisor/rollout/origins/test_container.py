"""What a container was made of, from Docker's description of it."""

import copy

import pytest

from supervisor.rollout.container_spec import SAME, ContainerSpec, Mount, Port
from supervisor.rollout.origins.container import (
    argv,
    made_by_compose,
    origin_of,
    read_spec,
    without_secrets,
)

ENTRYPOINT = ["python3", "-m", "vllm.entrypoints.openai.api_server"]
PATH = "PATH=/usr/local/nvidia/bin:/usr/local/bin:/usr/bin:/bin"

IMAGE = {
    "Id": "sha256:" + "a" * 64,
    "RepoTags": ["vllm/vllm-openai:v0.11.0"],
    "Config": {
        "Hostname": "",
        "User": "",
        "Env": [PATH, "VLLM_USAGE_SOURCE=production-docker-image", "UV_LINK_MODE=copy"],
        "Cmd": None,
        "WorkingDir": "/vllm-workspace",
        "Entrypoint": ENTRYPOINT,
        "Labels": {"maintainer": "NVIDIA CORPORATION"},
    },
}


def described(*, config=None, host=None, networks=None, mounts=None):
    """Describe a container as ``docker inspect`` of Docker 20.10 does.

    docker run -d --gpus all --ipc=host --shm-size 16g --ulimit memlock=-1 -p 127.0.0.1:8000:8000
    -v /srv/models:/models:ro -v hf:/root/.cache/huggingface -e HF_TOKEN=... -e VLLM_USE_V1=1
    --restart unless-stopped --name vllm-gemma vllm/vllm-openai:v0.11.0 --model ... --api-key ...
    """
    return {
        "Id": "4c01db0b339c" + "0" * 52,
        "Created": "2026-11-20T08:00:00.000000000Z",
        "Path": "python3",
        "Args": ["-m", "vllm.entrypoints.openai.api_server", "--model", "/models/gemma"],
        "State": {"Status": "running", "Running": True, "StartedAt": "2026-11-20T08:00:01Z"},
        "Image": "sha256:" + "a" * 64,
        "Name": "/vllm-gemma",
        "RestartCount": 0,
        "Driver": "overlay2",
        "Platform": "linux",
        "HostConfig": {
            "Binds": ["/srv/models:/models:ro", "hf:/root/.cache/huggingface"],
            "ContainerIDFile": "",
            "LogConfig": {"Type": "json-file", "Config": {}},
            "NetworkMode": "default",
            "PortBindings": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000"}]},
            "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
            "AutoRemove": False,
            "VolumeDriver": "",
            "VolumesFrom": None,
            "CapAdd": None,
            "CapDrop": None,
            "CgroupnsMode": "private",
            "Dns": [],
            "DnsOptions": [],
            "DnsSearch": [],
            "ExtraHosts": None,
            "GroupAdd": None,
            "IpcMode": "host",
            "Cgroup": "",
            "Links": None,
            "OomScoreAdj": 0,
            "PidMode": "",
            "Privileged": False,
            "PublishAllPorts": False,
            "ReadonlyRootfs": False,
            "SecurityOpt": ["label=disable"],
            "UTSMode": "",
            "UsernsMode": "",
            "ShmSize": 17179869184,
            "Runtime": "runc",
            "ConsoleSize": [0, 0],
            "Isolation": "",
            "CpuShares": 0,
            "Memory": 0,
            "NanoCpus": 0,
            "CgroupParent": "",
            "BlkioWeight": 0,
            "BlkioWeightDevice": [],
            "BlkioDeviceReadBps": None,
            "BlkioDeviceWriteBps": None,
            "BlkioDeviceReadIOps": None,
            "BlkioDeviceWriteIOps": None,
            "CpuPeriod": 0,
            "CpuQuota": 0,
            "CpuRealtimePeriod": 0,
            "CpuRealtimeRuntime": 0,
            "CpusetCpus": "",
            "CpusetMems": "",
            "Devices": [],
            "DeviceCgroupRules": None,
            "DeviceRequests": [
                {
                    "Driver": "",
                    "Count": -1,
                    "DeviceIDs": None,
                    "Capabilities": [["gpu"]],
                    "Options": {},
                }
            ],
            "KernelMemory": 0,
            "KernelMemoryTCP": 0,
            "MemoryReservation": 0,
            "MemorySwap": 0,
            "MemorySwappiness": None,
            "OomKillDisable": False,
            "PidsLimit": None,
            "Ulimits": [{"Name": "memlock", "Hard": -1, "Soft": -1}],
            "CpuCount": 0,
            "CpuPercent": 0,
            "IOMaximumIOps": 0,
            "IOMaximumBandwidth": 0,
            "MaskedPaths": ["/proc/asound", "/proc/acpi"],
            "ReadonlyPaths": ["/proc/bus", "/proc/fs"],
            **(host or {}),
        },
        "Mounts": [
            {
                "Type": "bind",
                "Source": "/srv/models",
                "Destination": "/models",
                "Mode": "ro",
                "RW": False,
                "Propagation": "rprivate",
            },
            {
                "Type": "volume",
                "Name": "hf",
                "Source": "/var/lib/docker/volumes/hf/_data",
                "Destination": "/root/.cache/huggingface",
                "Driver": "local",
                "Mode": "z",
                "RW": True,
                "Propagation": "",
            },
            *(mounts or []),
        ],
        "Config": {
            "Hostname": "4c01db0b339c",
            "Domainname": "",
            "User": "",
            "AttachStdin": False,
            "ExposedPorts": {"8000/tcp": {}},
            "Tty": False,
            "OpenStdin": False,
            "Env": [
                "HF_TOKEN=hf_sesame",
                "VLLM_USE_V1=1",
                PATH,
                "VLLM_USAGE_SOURCE=production-docker-image",
                "UV_LINK_MODE=copy",
            ],
            "Cmd": ["--model", "/models/gemma", "--api-key", "sk-sesame", "--port=8000"],
            "Image": "vllm/vllm-openai:v0.11.0",
            "Volumes": None,
            "WorkingDir": "/vllm-workspace",
            "Entrypoint": ENTRYPOINT,
            "OnBuild": None,
            "Labels": {"maintainer": "NVIDIA CORPORATION"},
            **(config or {}),
        },
        "NetworkSettings": {
            "Networks": {"bridge": {"Aliases": None, "IPAddress": "172.17.0.2"}, **(networks or {})}
        },
    }


def spec_of(**changes):
    """Read one that differs so."""
    return read_spec(described(**changes), IMAGE)[0]


def left_out_of(**changes):
    """List what a file cannot say of one that differs so."""
    return origin_of(described(**changes), IMAGE).left_out


def test_a_container_is_read_whole():
    """What the image says by itself, and what Docker adds, is not said again."""
    origin = origin_of(described(), IMAGE)
    assert origin.container == "vllm-gemma"
    assert origin.source == "the container vllm-gemma"
    assert origin.left_out == ()
    assert origin.spec == ContainerSpec(
        image="vllm/vllm-openai:v0.11.0",
        command=("--model", "/models/gemma", "--api-key", SAME, "--port=8000"),
        environment={"HF_TOKEN": None, "VLLM_USE_V1": "1"},
        mounts=(
            Mount(source="/srv/models", target="/models", read_only=True),
            Mount(source="hf", target="/root/.cache/huggingface"),
        ),
        gpus="all",
        ports=(Port(inside=8000, host=8000, address="127.0.0.1"),),
        ipc="host",
        shm_size="16g",
        ulimits={"memlock": "-1"},
        restart="unless-stopped",
    )


def test_its_secrets_are_read_where_they_are_needed():
    """Only what becomes a file is without them."""
    spec, _ = read_spec(described(), IMAGE)
    assert spec.environment["HF_TOKEN"] == "hf_sesame"
    assert spec.command is not None
    assert "sk-sesame" in spec.command


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (["--api-key", "sk-sesame"], ("--api-key", SAME)),
        (["--api-key=sk-sesame"], (f"--api-key={SAME}",)),
        (["--api_key", "sk-sesame", "--port", "1"], ("--api_key", SAME, "--port", "1")),
        (["--api_key=sk-sesame"], (f"--api_key={SAME}",)),
        (["--api-key", "--port", "1"], ("--api-key", "--port", "1")),
        (["--tokenizer", "t", "--port=1", "m"], ("--tokenizer", "t", "--port=1", "m")),
    ],
    ids=" ".join,
)
def test_no_secret_is_left_in_what_becomes_a_file(words, kept):
    """In neither spelling of a flag; and nothing else is touched."""
    origin = origin_of(described(config={"Cmd": words}), IMAGE)
    assert origin.spec.command == kept
    assert "sesame" not in repr(origin)


def test_a_secret_of_an_entrypoint_is_left_out_too():
    """Some put all of it there."""
    spec = ContainerSpec(image="i", entrypoint=("vllm", "serve", "--api-key", "sesame"))
    assert without_secrets(spec).entrypoint == ("vllm", "serve", "--api-key", SAME)


def test_an_empty_secret_is_none():
    """It says that there is no key, and that is to stay so."""
    spec = ContainerSpec(image="i", environment={"VLLM_API_KEY": "", "HF_TOKEN": None})
    assert without_secrets(spec) == spec


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"host": {"PidsLimit": 100}}, "HostConfig.PidsLimit: 100"),
        ({"host": {"OomScoreAdj": -500}}, "HostConfig.OomScoreAdj: -500"),
        ({"host": {"CgroupParent": "ai.slice"}}, "HostConfig.CgroupParent: ai.slice"),
        ({"host": {"CpusetCpus": "0-7"}}, "HostConfig.CpusetCpus: 0-7"),
        ({"host": {"Dns": ["1.1.1.1"]}}, "HostConfig.Dns: ['1.1.1.1']"),
        ({"host": {"PublishAllPorts": True}}, "HostConfig.PublishAllPorts: True"),
        ({"host": {"VolumesFrom": ["a", "b:ro"]}}, "--volumes-from a, b:ro"),
        (
            {"config": {"Healthcheck": {"Test": ["CMD", "curl", "-f", "localhost:8000/health"]}}},
            "its health check: CMD curl -f localhost:8000/health",
        ),
        ({"config": {"Tty": True}}, "a terminal (--tty)"),
        ({"networks": {"backend": {"Aliases": None}}}, "further networks: backend"),
    ],
    ids=[
        "processes",
        "out of memory",
        "cgroup",
        "cores",
        "name servers",
        "all ports",
        "volumes of others",
        "health check",
        "terminal",
        "second network",
    ],
)
def test_what_a_file_cannot_say_is_told(changes, line):
    """The new container would be without it."""
    assert left_out_of(**changes) == (line,)


def test_its_names_in_a_network_are_told():
    """Others may ask for it by them; its own id is no name."""
    networks = {"ai": {"Aliases": ["vllm", "4c01db0b339c", "gemma"]}}
    assert left_out_of(host={"NetworkMode": "ai"}, networks=networks) == (
        "further networks: bridge",
        "its names in the network ai: gemma, vllm",
    )


def test_what_docker_fills_in_by_itself_is_not_told():
    """Newer ones fill in more."""
    host = {
        "MemorySwap": -1,
        "MemorySwappiness": -1,
        "PidsLimit": 0,
        "OomKillDisable": None,
        "ConsoleSize": [40, 120],
        "Annotations": {"a": "b"},
    }
    assert left_out_of(host=host) == ()


def test_a_health_check_of_the_image_is_no_loss():
    """The new container has its own image's."""
    health = {"Healthcheck": {"Test": ["CMD", "true"]}}
    image = copy.deepcopy(IMAGE)
    image["Config"].update(health)  # type: ignore[attr-defined]
    assert origin_of(described(config=health), image).left_out == ()


def test_labels_of_compose_are_not_taken_over():
    """Compose would take the new container for its own."""
    labels = {
        "com.docker.compose.project": "ai",
        "com.docker.compose.service": "vllm",
        "com.docker.compose.config-hash": "1",
        "maintainer": "NVIDIA CORPORATION",
        "team": "ml",
    }
    container = described(config={"Labels": labels})
    assert read_spec(container, IMAGE)[0].labels == {"team": "ml"}
    assert made_by_compose(container) == "ai/vllm"


@pytest.mark.parametrize(
    "labels", [None, {}, {"team": "ml"}, {"com.docker.compose.project": "ai"}], ids=str
)
def test_another_container_is_none_of_composes(labels):
    """It has to have both."""
    assert made_by_compose(described(config={"Labels": labels})) is None


# --- parts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "key", "value"),
    [
        ({"NetworkMode": "default"}, "network", "bridge"),
        ({"NetworkMode": "host"}, "network", "host"),
        ({"NetworkMode": "ai_default"}, "network", "ai_default"),
        ({"NetworkMode": "host"}, "ports", ()),
        ({"PortBindings": {}}, "ports", ()),
        ({"PortBindings": None}, "ports", ()),
        (
            {"PortBindings": {"53/udp": [{"HostIp": "", "HostPort": "5353"}]}},
            "ports",
            (Port(inside=53, host=5353, protocol="udp"),),
        ),
        (
            {"PortBindings": {"80/tcp": [{"HostIp": "::1", "HostPort": "1"}, {"HostPort": "2"}]}},
            "ports",
            (Port(inside=80, host=1, address="::1"), Port(inside=80, host=2)),
        ),
        ({"PortBindings": {"80/tcp": None}}, "ports", (Port(inside=80),)),
        ({"PortBindings": {"80/tcp": [{"HostPort": ""}]}}, "ports", (Port(inside=80),)),
        ({"IpcMode": "private"}, "ipc", None),
        ({"IpcMode": ""}, "ipc", None),
        ({"IpcMode": "shareable"}, "ipc", "shareable"),
        ({"PidMode": "host"}, "pid", "host"),
        ({"ShmSize": 64 << 20}, "shm_size", None),
        ({"ShmSize": 0}, "shm_size", None),
        ({"ShmSize": 1001}, "shm_size", "1001"),
        ({"Memory": 100 << 30}, "memory", "100g"),
        ({"Ulimits": None}, "ulimits", {}),
        (
            {"Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 4096}]},
            "ulimits",
            {"nofile": "1024:4096"},
        ),
        ({"DeviceRequests": None}, "gpus", None),
        ({"DeviceRequests": [{"Driver": "nvidia", "Count": 0}]}, "gpus", "all"),
        ({"DeviceRequests": [{"Count": 2, "Capabilities": [["gpu"]]}]}, "gpus", "2"),
        (
            {"DeviceRequests": [{"DeviceIDs": ["0", "3"], "Capabilities": [["gpu", "utility"]]}]},
            "gpus",
            "device=0,3",
        ),
        ({"DeviceRequests": [{"Driver": "other", "Capabilities": [["tpu"]]}]}, "gpus", None),
        ({"Runtime": "nvidia"}, "runtime", "nvidia"),
        ({"Runtime": ""}, "runtime", None),
        ({"Privileged": True}, "privileged", True),
        ({"ReadonlyRootfs": True}, "read_only", True),
        ({"CapAdd": ["SYS_NICE"]}, "cap_add", ("SYS_NICE",)),
        ({"CapDrop": ["ALL"]}, "cap_drop", ("ALL",)),
        ({"GroupAdd": ["44"]}, "groups", ("44",)),
        ({"ExtraHosts": ["a:1.2.3.4"]}, "hosts", ("a:1.2.3.4",)),
        ({"Init": True}, "init", True),
        ({"Tmpfs": {"/tmp": "size=1g"}}, "tmpfs", {"/tmp": "size=1g"}),
        ({"SecurityOpt": None}, "security", ()),
        (
            {"SecurityOpt": ["label=disable", "seccomp=unconfined"]},
            "security",
            ("seccomp=unconfined",),
        ),
        (
            {"SecurityOpt": ["label=disable"], "IpcMode": "private"},
            "security",
            ("label=disable",),
        ),
        ({"RestartPolicy": {"Name": "no"}}, "restart", "no"),
        ({"RestartPolicy": {"Name": ""}}, "restart", "no"),
        ({"RestartPolicy": None}, "restart", "no"),
        (
            {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}},
            "restart",
            "on-failure:3",
        ),
        (
            {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 0}},
            "restart",
            "on-failure",
        ),
        (
            {"LogConfig": {"Type": "json-file", "Config": {"max-size": "10m"}}},
            "log_options",
            {"max-size": "10m"},
        ),
        (
            {"LogConfig": {"Type": "local", "Config": {"max-size": "10m"}}},
            "log_driver",
            "local",
        ),
        ({"LogConfig": {"Type": "json-file", "Config": {}}}, "log_driver", None),
        (
            {"Devices": [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/a"}]},
            "devices",
            ("/dev/a",),
        ),
        (
            {"Devices": [{"PathOnHost": "/dev/a", "PathInContainer": "/dev/b"}]},
            "devices",
            ("/dev/a:/dev/b",),
        ),
        (
            {
                "Devices": [
                    {
                        "PathOnHost": "/dev/a",
                        "PathInContainer": "/dev/a",
                        "CgroupPermissions": "r",
                    }
                ]
            },
            "devices",
            ("/dev/a:/dev/a:r",),
        ),
    ],
    ids=lambda one: "" if isinstance(one, tuple) else str(one)[:60],
)
def test_an_option_is_read_as_it_was_given(host, key, value):
    """And Docker's own is not said."""
    assert getattr(spec_of(host=host), key) == value


@pytest.mark.parametrize(
    ("config", "key", "value"),
    [
        ({"User": "1000:1000"}, "user", "1000:1000"),
        ({"User": ""}, "user", None),
        ({"WorkingDir": "/srv"}, "working_dir", "/srv"),
        ({"StopSignal": "SIGINT"}, "stop_signal", "SIGINT"),
        ({"Labels": None}, "labels", {}),
        ({"Env": None}, "environment", {}),
        ({"Env": ["A", "B=x=y", "UV_LINK_MODE=hard"]}, "environment", None),
        ({"Cmd": None}, "command", None),
        ({"Entrypoint": ["vllm", "serve"], "Cmd": None}, "command", ()),
        ({"Entrypoint": ["vllm", "serve"]}, "entrypoint", ("vllm", "serve")),
        ({"Image": ""}, "image", "sha256:" + "a" * 64),
    ],
    ids=lambda one: "" if isinstance(one, tuple) else str(one)[:60],
)
def test_what_is_not_the_images_own_is_read(config, key, value):
    """A variable of the image counts where it has another value."""
    if config.get("Env"):
        value = {"A": "", "B": "x=y", "UV_LINK_MODE": "hard"}
    assert getattr(spec_of(config=config), key) == value


def test_a_mount_that_others_see_keeps_how():
    """A mount in memory is no mount of this machine."""
    mounts = [
        {"Type": "tmpfs", "Destination": "/tmp", "Mode": "", "RW": True},
        {
            "Type": "bind",
            "Source": "/x",
            "Destination": "/x",
            "Mode": "rshared",
            "RW": True,
            "Propagation": "rshared",
        },
        {"Type": "bind", "Source": "/y", "Destination": "/y", "RW": True, "Propagation": "slave"},
    ]
    assert spec_of(mounts=mounts).mounts[2:] == (
        Mount(source="/x", target="/x", options=("rshared",)),
        Mount(source="/y", target="/y", options=("slave",)),
    )


def test_without_its_image_everything_is_the_containers_own():
    """The image may be gone, and the container still runs."""
    spec, _ = read_spec(described(), None)
    assert spec.entrypoint == tuple(ENTRYPOINT)
    assert spec.environment["UV_LINK_MODE"] == "copy"
    assert spec.working_dir == "/vllm-workspace"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, ("e", "c")),
        ({"command": ["x"]}, ("e", "x")),
        ({"command": []}, ("e",)),
        ({"entrypoint": ["y"]}, ("y",)),
        ({"entrypoint": ["y"], "command": ["x"]}, ("y", "x")),
    ],
    ids=str,
)
def test_a_process_is_entrypoint_and_command(keys, words):
    """With an entrypoint of its own a container does not get the image's command."""
    image = {"Config": {"Entrypoint": ["e"], "Cmd": ["c"]}}
    assert argv(ContainerSpec.model_validate({"image": "i", **keys}), image) == words


def test_without_its_image_a_process_is_what_the_file_says():
    """It may not have been pulled yet."""
    assert argv(ContainerSpec(image="i", command=("x",)), None) == ("x",)
