"""What sparkrun would run of a recipe."""

import pytest
import yaml

from chaos.errors import UsageError
from supervisor.rollout.command_line import read_command
from supervisor.rollout.container_spec import ContainerSpec, Mount
from supervisor.rollout.origins.recipe import origin_of

SMALL = {"model": "org/gemma", "container": "ghcr.io/spark/vllm:1"}


def read(**keys):
    """Read a recipe with these keys beside the ones that it needs."""
    text = yaml.safe_dump({**SMALL, **keys})
    return origin_of(text, name="gemma.yaml", container="sparkrun_1", home="/home/me")


def words(**keys):
    """Give the command of a recipe."""
    return read(**keys).spec.command


def refused(**keys):
    """Give the error of a recipe that is wrong."""
    with pytest.raises(UsageError) as error:
        read(**keys)
    return error.value


def test_a_recipe_without_a_command_is_read_with_sparkruns_defaults():
    """The host's network and IPC, all GPUs, and its cache of models."""
    origin = read()
    assert (origin.container, origin.source) == ("sparkrun_1", "the recipe gemma.yaml")
    assert origin.left_out == ()
    assert origin.spec == ContainerSpec(
        image="ghcr.io/spark/vllm:1",
        command=("vllm", "serve", "org/gemma", "--host", "0.0.0.0", "--port", "8000"),
        environment={"HF_HOME": "/cache/huggingface", "HF_HUB_OFFLINE": "1"},
        mounts=(Mount(source="/home/me/.cache/huggingface", target="/cache/huggingface"),),
        gpus="all",
        network="host",
        ipc="host",
        shm_size="25g",
        ulimits={"memlock": "-1:-1", "stack": "67108864"},
        restart="unless-stopped",
    )


def test_defaults_become_flags():
    """In their order, and under vLLM's names."""
    command = words(
        defaults={
            "port": 8123,
            "host": "127.0.0.1",
            "tensor_parallel": 1,
            "max_model_len": 65536,
            "gpu_memory_utilization": 0.8,
            "speculative_config": {"method": "mtp", "num_speculative_tokens": 2},
            "kv_cache_dtype": None,
        }
    )
    read_as = read_command(command or ())
    assert read_as is not None
    assert read_as.model == "org/gemma"
    assert dict(read_as.flags) == {
        "--host": ("127.0.0.1",),
        "--port": ("8123",),
        "--tensor-parallel-size": ("1",),
        "--max-model-len": ("65536",),
        "--gpu-memory-utilization": ("0.8",),
        "--speculative-config": ('{"method": "mtp", "num_speculative_tokens": 2}',),
    }


@pytest.mark.parametrize(
    ("key", "value", "flags"),
    [
        ("enforce_eager", True, ("--enforce-eager",)),
        ("enforce_eager", False, ()),
        ("enable_prefix_caching", True, ("--enable-prefix-caching",)),
        ("enable_prefix_caching", False, ("--no-enable-prefix-caching",)),
    ],
)
def test_a_switch_is_said_where_it_is_not_so_by_itself(key, value, flags):
    """False is said only where vLLM turns it on."""
    command = words(defaults={key: value})
    assert command is not None
    assert command[7:] == flags


def test_a_command_is_filled_from_the_defaults():
    """A backslash goes on in the next line; a value may name others."""
    command = words(
        defaults={"port": 8123, "name": "{short}-it", "short": "gemma", "eager": True},
        command="vllm serve {model} \\\n  --port {port} --host {host} \\\n"
        "  --served-model-name {name} --eager={eager}\n",
    )
    assert command == (
        "vllm",
        "serve",
        "org/gemma",
        "--port",
        "8123",
        "--host",
        "0.0.0.0",
        "--served-model-name",
        "gemma-it",
        "--eager=true",
    )


def test_braces_of_json_are_no_places():
    """Only a name between braces is."""
    assert words(command="""vllm serve m --x '{"a": {"b": 1}}' --y '{}' """) == (
        "vllm",
        "serve",
        "m",
        "--x",
        '{"a": {"b": 1}}',
        "--y",
        "{}",
    )


def test_defaults_that_a_command_needs_and_does_not_have_are_named():
    """All of them at once."""
    error = refused(command="vllm serve {model} --x {max_model_len} --y {b} --z {b}")
    assert error.message == (
        "gemma.yaml: its command needs b, max_model_len, which the defaults do not have"
    )
    assert error.remedy == "Add them to the recipe's defaults."


def test_a_command_with_an_open_quote_is_refused():
    """It is no command."""
    assert "its command is no command: No closing quotation" in refused(command="a 'b").message


@pytest.mark.parametrize("runtime", ["sglang", "llama-cpp", "trtllm"])
def test_a_recipe_of_another_engine_is_refused(runtime):
    """It could still be read from what runs."""
    error = refused(runtime=runtime)
    assert error.message == f"gemma.yaml: its runtime is {runtime!r}, and rollouts know vLLM"
    assert "--from-container" in error.remedy


@pytest.mark.parametrize("runtime", ["vllm", "vllm-distributed", "vllm-ray", "eugr-vllm", None])
def test_every_way_to_run_vllm_is_taken(runtime):
    """On one machine they are the same."""
    assert read(runtime=runtime).spec == read().spec


def test_a_recipe_for_two_machines_is_refused():
    """A rollout is of one container."""
    error = refused(min_nodes=2)
    assert error.message == "gemma.yaml: it needs 2 machines, and a rollout is of one container"
    assert read(min_nodes=1).spec == read().spec


@pytest.mark.parametrize("text", ["", "[]", "vllm", "model: m", "container: ''"])
def test_what_is_no_recipe_is_refused(text):
    """A recipe names its container."""
    with pytest.raises(UsageError, match=r"gemma\.yaml: no recipe that names a container"):
        origin_of(text, name="gemma.yaml", container="c", home="/home/me")


def test_what_is_no_yaml_is_refused():
    """By its place."""
    with pytest.raises(UsageError, match=r"gemma\.yaml: not YAML at line 1"):
        origin_of("a: b: c", name="gemma.yaml", container="c", home="/home/me")


def test_variables_are_taken_over_without_secrets():
    """A recipe's own come before sparkrun's."""
    environment = read(
        env={"HF_TOKEN": "hf_sesame", "HF_HUB_OFFLINE": 0, "VLLM_USE_V1": 1, "A": "b"}
    ).spec.environment
    assert environment == {
        "HF_HOME": "/cache/huggingface",
        "HF_HUB_OFFLINE": "0",
        "HF_TOKEN": None,
        "VLLM_USE_V1": "1",
        "A": "b",
    }


@pytest.mark.parametrize(
    ("config", "key", "value"),
    [
        ({"gpus": "device=0"}, "gpus", "device=0"),
        ({"network": "bridge"}, "network", "bridge"),
        ({"ipc": "private"}, "ipc", "private"),
        ({"shm_size": "64gb"}, "shm_size", "64g"),
        ({"privileged": True}, "privileged", True),
        ({"user": "1000"}, "user", "1000"),
        ({"entrypoint": "/bin/run -x"}, "entrypoint", ("/bin/run", "-x")),
        ({"entrypoint": ""}, "entrypoint", None),
        ({"cap_add": ["SYS_NICE"]}, "cap_add", ("SYS_NICE",)),
        ({"security_opt": ["seccomp=unconfined"]}, "security", ("seccomp=unconfined",)),
        ({"devices": ["/dev/infiniband"]}, "devices", ("/dev/infiniband",)),
        ({"ulimit": ["nofile=1024:4096"]}, "ulimits", {"nofile": "1024:4096"}),
        ({"memory_limit": "100g"}, "memory", "100g"),
        ({"restart_policy": "no"}, "restart", "no"),
        ({"restart_policy": None}, "restart", "unless-stopped"),
    ],
    ids=str,
)
def test_what_a_recipe_says_of_its_container_comes_before_the_defaults(config, key, value):
    """And nothing else is changed by it."""
    changed = read(executor_config=config).spec
    assert getattr(changed, key) == value
    assert changed == read().spec.model_copy(update={key: value})


def test_a_model_in_a_folder_is_mounted_where_it_is():
    """The command names it by this path."""
    spec = read(model="/srv/models/gemma").spec
    assert spec.mounts[1:] == (
        Mount(source="/srv/models/gemma", target="/srv/models/gemma", read_only=True),
    )
    assert spec.command is not None
    assert spec.command[2] == "/srv/models/gemma"


def test_what_a_file_cannot_say_is_told():
    """What is run before and after, and what is changed in the image."""
    left_out = read(
        pre_exec=["apt-get update"], post_commands=[], mods=["mods/x"], description="a model"
    ).left_out
    assert left_out == ('pre_exec: ["apt-get update"]', 'mods: ["mods/x"]')


def test_a_value_that_a_file_cannot_hold_is_told():
    """By the name that it has here."""
    error = refused(executor_config={"shm_size": "lots", "gpus": "some"})
    assert error.message.splitlines() == [
        "gemma.yaml: 2 problems",
        '  gpus: "some" is not one of: all, a number of them, device=0,1',
        '  shm_size: "lots" is not a size, such as 16g',
    ]
