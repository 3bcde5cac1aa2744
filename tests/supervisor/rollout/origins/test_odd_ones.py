"""What people really write: odd commands, files and recipes, and secrets wherever they may be."""

from datetime import date
from typing import Any

import jsonschema
import pytest
import yaml

from chaos.errors import UsageError
from supervisor.rollout.command_line import is_secret, read_command, with_running_values
from supervisor.rollout.container_spec import ContainerSpec
from supervisor.rollout.first_file import first_file
from supervisor.rollout.origin import Origin
from supervisor.rollout.origins import compose, recipe
from supervisor.rollout.origins.container import read_spec, without_secrets
from supervisor.rollout.rollout_file import parse_rollout, schema

CONTAINER: dict[str, Any] = {"Name": "/c", "Config": {"Image": "i"}, "HostConfig": {}}


def read_recipe(tail: str) -> Origin:
    """Read a recipe of an image and *tail*."""
    return recipe.origin_of(f"container: i\n{tail}", name="f", container="c", home="/h")


def service(one: dict[str, Any], **top: Any) -> ContainerSpec:
    """Read a service, as Compose has resolved it."""
    services = {"s": {"image": "i", "container_name": "c", **one}}
    text = yaml.safe_dump({"services": services, **top})
    return compose.origin_of(text, "s", name="f").spec


# --- secrets ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ["bash", "-c", "vllm serve m --api-key sesame"],
        ["bash", "-c", "vllm serve m --api-key='sesame open'"],
        ["vllm", "serve", "m", "--api-key", "a", "sesame"],
        ["env", "HF_TOKEN=sesame", "vllm", "serve", "m"],
    ],
    ids=" ".join,
)
def test_no_secret_of_a_command_is_kept(command):
    """In a shell's text, after another one, or before the program."""
    assert "sesame" not in repr(without_secrets(ContainerSpec(image="i", command=command)))


@pytest.mark.parametrize(
    "command",
    [
        ["bash", "-c", "vllm serve m --api-key sesame --port 1"],
        ["vllm", "serve", "m", "--api-key", "a", "sesame", "--port", "1"],
        ["vllm", "serve", "m", "--api-key=sesame"],
    ],
    ids=" ".join,
)
def test_what_was_hidden_comes_back_from_the_container_that_runs(command):
    """Word by word what it was."""
    hidden = without_secrets(ContainerSpec(image="i", command=command)).command
    assert hidden is not None
    assert with_running_values(hidden, read_command(command)) == tuple(command)


def test_no_secret_of_a_logging_driver_is_kept():
    """Drivers take tokens as options."""
    spec = ContainerSpec(image="i", log_options={"splunk-token": "sesame"})
    assert "sesame" not in repr(without_secrets(spec))


@pytest.mark.parametrize(
    "tail",
    ["model: m\ndefaults: {api_key: sesame}", "command: vllm serve m --api-key sesame"],
)
def test_no_secret_of_a_recipe_is_kept(tail):
    """Neither of its defaults nor of its command."""
    assert "sesame" not in repr(read_recipe(tail))


@pytest.mark.parametrize("name", ["TOKENIZER_API_KEY", "KEEP_ALIVE_TOKEN", "SSL_KEYFILE_PASSWORD"])
def test_a_secret_s_name_may_hold_words_that_are_none(name):
    """Its last word tells."""
    assert is_secret(name)


# --- Compose ------------------------------------------------------------------------------


def test_a_volume_is_called_as_docker_calls_it():
    """Compose puts its project before the name; another volume would be empty."""
    volumes = [{"type": "volume", "source": "hf", "target": "/t"}]
    spec = service({"volumes": volumes}, volumes={"hf": {"name": "proj_hf"}})
    assert str(spec.mounts[0]) == "proj_hf:/t"


def test_a_doubled_dollar_is_one_wherever_it_stands():
    """Compose doubles it in what it prints."""
    spec = service(
        {
            "entrypoint": "bash -c 'echo $$HOME'",
            "environment": {"A": "x$$y"},
            "labels": {"a": "$$"},
        }
    )
    assert spec.entrypoint is not None
    assert (spec.entrypoint[-1], spec.environment, spec.labels) == (
        "echo $HOME",
        {"A": "x$y"},
        {"a": "$"},
    )


def test_memory_that_is_mounted_is_no_volume():
    """It is written as tmpfs."""
    assert service({"volumes": [{"type": "tmpfs", "target": "/t"}]}).tmpfs == {"/t": ""}


def test_a_range_of_ports_is_refused_in_words():
    """Not with a traceback."""
    with pytest.raises(UsageError, match="service s: it cannot be read"):
        service({"ports": [{"target": 80, "published": "8000-8010"}]})


# --- recipes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tail",
    [
        *("min_nodes: two", "defaults: [1]", "env: [A=1]", "executor_config: [1]"),
        "defaults: {port: 1}",
    ],
)
def test_a_recipe_that_is_none_is_refused_in_words(tail):
    """Of another type, or without a model and a command."""
    with pytest.raises(UsageError):
        read_recipe(tail)


# --- the first file -----------------------------------------------------------------------


@pytest.mark.parametrize("word", ["a\rb", "a\u2028b", "a\x85b", "a\x7fb", "a\x1bb"], ids=ascii)
@pytest.mark.parametrize("further", [[], ["\n"]], ids=["alone", "beside a line's end"])
def test_a_word_of_any_characters_survives_the_file(word, further):
    """YAML breaks lines at more than one character."""
    spec = ContainerSpec(image="i", command=("vllm", "--x", word, *further))
    text = first_file(Origin("c", spec), engine="e", url=None, file="f", today=date(2026, 1, 1))
    assert parse_rollout(text, name="f").run == spec


def test_a_name_that_looks_like_a_date_is_a_name():
    """YAML would take it for one, and for a broken one."""
    text = first_file(
        Origin("c", ContainerSpec(image="i")),
        engine="2026-13-45",
        url=None,
        file="f",
        today=date(2026, 1, 1),
    )
    assert parse_rollout(text, name="f").engine == "2026-13-45"


@pytest.mark.parametrize(
    "one",
    [
        *("environment: {A: 1}", "ulimits: {memlock: -1}", "groups: [44]"),
        *("labels: {a: true}", "restart: no"),
    ],
)
def test_the_schema_takes_what_the_command_takes(one):
    """Else an editor marks what is right."""
    raw = yaml.safe_load("container: a\nengine: b\nrun: {image: i}")
    raw["run"].update(yaml.safe_load(one))
    parse_rollout(yaml.safe_dump(raw), name="f")
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(raw)) == []


# --- commands -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["/opt/nvidia/nvidia_entrypoint.sh", "bash", "-c", "vllm serve m"],
        ["tini", "--", "bash", "-c", "vllm serve m"],
        ["env", "A=1", "bash", "-c", "vllm serve m"],
        ["bash", "-c", "other serve & vllm serve m"],
    ],
    ids=" ".join,
)
def test_a_shell_behind_a_wrapper_is_read(words):
    """NVIDIA's images have one."""
    found = read_command(words)
    assert found is not None
    assert found.model == "m"


@pytest.mark.parametrize(
    "line",
    [
        "vllm serve m --port 1\necho done",
        "vllm serve m --port 1 >log",
        "vllm serve m --port 1; # c",
    ],
)
def test_what_follows_a_command_in_a_shell_is_no_value_of_it(line):
    """A line's end, a redirection and a comment end it."""
    found = read_command(["bash", "-c", line])
    assert found is not None
    assert found.flags == {"--port": ("1",)}


def test_a_model_may_stand_behind_a_flag_that_has_its_value():
    """As argparse reads it."""
    found = read_command(["vllm", "serve", "--port=1", "m"])
    assert found is not None
    assert (found.model, found.value("--port")) == ("m", "1")


# --- containers ---------------------------------------------------------------------------


def test_a_logging_driver_without_options_is_kept():
    """The new container's log goes where the old one's went."""
    host = {"LogConfig": {"Type": "journald", "Config": {}}}
    spec, _ = read_spec({**CONTAINER, "HostConfig": host}, None)
    assert spec.log_driver == "journald"


def test_what_a_file_has_no_word_for_is_told():
    """A host name of its own, and how long it may take to stop."""
    config = {"Image": "i", "Hostname": "engine-1", "StopTimeout": 60}
    _, left_out = read_spec({**CONTAINER, "Id": "a" * 64, "Config": config}, None)
    assert left_out == (
        "its own host name: engine-1",
        "how long it may take to stop: 60 s",
    )


def test_a_label_for_selinux_is_kept():
    """Without it the folder could not be read."""
    mount = {"Type": "bind", "Source": "/m", "Destination": "/m", "Mode": "z", "RW": True}
    spec, _ = read_spec({**CONTAINER, "Mounts": [mount]}, None)
    assert spec.mounts[0].options == ("z",)
