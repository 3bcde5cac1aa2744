"""The first rollout file, written from what runs today."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

import pytest
import yaml

from supervisor.engine.capacity import Capacity, Source
from supervisor.engine.facts import EngineFacts
from supervisor.engine.log import EngineLog
from supervisor.rollout.container_spec import SAME, ContainerSpec
from supervisor.rollout.docker_host import DockerHost
from supervisor.rollout.first_file import Running, first_file, running_of
from supervisor.rollout.origin import Origin
from supervisor.rollout.rollout_file import parse_rollout

TODAY = date(2026, 1, 31)


def spec(**keys):
    """Make one from a file's keys."""
    return ContainerSpec.model_validate({"image": "vllm/vllm-openai:v0.11.0", **keys})


def written(one=None, *, left_out=(), **given):
    """Write the file of a container."""
    origin = Origin("vllm", one or spec(), tuple(left_out), "the container vllm")
    known = {"engine": "local-gemma", "url": None, "file": "rollout.yaml", "today": TODAY}
    return first_file(origin, **{**known, **given})


def read(one=None, **given):
    """Write it, and read it again."""
    return parse_rollout(written(one, **given), name="rollout.yaml")


WORDS = {
    "plain": "plain",
    "empty": "",
    "a space": "a b",
    "two spaces": "a  b",
    "spaces around": " a ",
    "a tab": "a\tb",
    "single quote": "it's",
    "double quote": 'say "x"',
    "both quotes": """'"'""",
    "a newline": "a\nb",
    "a newline at the end": "a\n",
    "an empty line": "a\n\nb",
    "json": '{"method": "mtp", "n": [1, 2.5, null]}',
    "a hash": "# no comment",
    "a hash alone": "#",
    "a percent sign": "%d %(x)s",
    "a template": "{{ image }} {% raw %} {# x #}",
    "a colon": "key: value",
    "a dollar": "$HOME $$ ${x}",
    "a backslash": "a\\nb\\",
    "unicode": "größe 模型 🙂",
    "a dash": "-",
    "a number": "1",
    "a truth value": "true",
    "a null": "null",
    "a date": "2026-01-31",
    "an ampersand": "&a *b !c",
    "long": "x" * 300,
    "long with spaces": "word " * 60 + "end",
    "same": SAME,
}


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
@pytest.mark.parametrize("place", ["alone", "value", "joined", "first of many"])
def test_a_command_comes_back_word_by_word(word, place):
    """Whatever is in a word, in whatever place."""
    command = {
        "alone": [word],
        "value": ["vllm", "serve", "m", "--x", word, "--y", "1"],
        "joined": ["vllm", "serve", "m", f"--x={word}"],
        "first of many": [word, "--x", "1", "--y"],
    }[place]
    one = spec(command=command)
    assert read(one).run == one


@pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)
def test_a_value_comes_back_as_it_was(word):
    """In variables, in labels, and in an entrypoint."""
    one = spec(environment={"A": word, "B": "b"}, labels={"a": word}, entrypoint=["sh", word])
    assert read(one).run == one


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"image": "sha256:" + "a" * 64},
        {"image": "registry:5000/a/b@sha256:" + "a" * 64},
        {"command": []},
        {"entrypoint": [], "command": []},
        {"restart": "no"},
        {"restart": "on-failure:3"},
        {"environment": {"HF_TOKEN": None, "ON": "yes", "N": "1", "EMPTY": ""}},
        {
            "command": "vllm serve /models/gemma --max-model-len 65536 --enforce-eager -tp 1",
            "mounts": ["/srv/a b:/models:ro,z", "hf:/root/.cache/huggingface"],
            "gpus": "device=0,1",
            "devices": ["/dev/infiniband"],
            "network": "ai",
            "ports": ["127.0.0.1:8000:8000", "8000", "8001:8001"],
            "ipc": "host",
            "pid": "host",
            "shm_size": "16g",
            "ulimits": {"memlock": -1, "nofile": "1024:4096"},
            "memory": "100g",
            "user": "1000:1000",
            "groups": ["44", "video"],
            "working_dir": "/srv",
            "privileged": True,
            "cap_add": ["SYS_NICE"],
            "cap_drop": ["ALL"],
            "security": ["seccomp=unconfined"],
            "runtime": "nvidia",
            "read_only": True,
            "tmpfs": {"/tmp": "size=1g", "/run": ""},
            "hosts": ["a:1.2.3.4"],
            "init": False,
            "labels": {"team": "ml", "no": "off"},
            "log_driver": "local",
            "log_options": {"max-size": "10m", "max-file": "3"},
            "stop_signal": "SIGINT",
        },
    ],
    ids=[
        "an image",
        "an id",
        "a digest",
        "an empty command",
        "an empty entrypoint",
        "no restart",
        "some restarts",
        "variables",
        "all",
    ],
)
def test_what_is_written_is_read_as_the_same_container(keys):
    """Nothing that runs today is lost on the way."""
    one = spec(**keys)
    file = read(one)
    assert file.run == one
    assert (file.container, file.engine) == ("vllm", "local-gemma")


def test_a_command_is_written_as_people_write_it():
    """A flag and its values a line."""
    text = written(spec(command=["vllm", "serve", "m", "--port", "1", "--x", "{}", "--api-key"]))
    assert "\n  command: >-\n    vllm serve m\n    --port 1\n    --x '{}'\n    --api-key\n" in text


def test_secrets_are_written_as_what_runs():
    """A variable without a value, and a flag's with a word for it."""
    text = written(
        spec(environment={"HF_TOKEN": None}, command=["m", "--api-key", SAME, f"--b-key={SAME}"])
    )
    raw = yaml.safe_load(text)["run"]
    assert raw["environment"] == {"HF_TOKEN": None}
    assert raw["command"] == f"m --api-key '{SAME}' '--b-key={SAME}'"


def test_a_restart_policy_is_always_written():
    """Docker's default is another one."""
    assert yaml.safe_load(written())["run"]["restart"] == "unless-stopped"


def test_the_head_says_where_it_comes_from_and_what_to_do():
    """With commands that can be copied."""
    head = written(file="my file.yaml").splitlines()[:5]
    assert head[0] == (
        "# What is to run in place of vllm: written from the container vllm, on 2026-01-31."
    )
    assert "#   understudy rollout plan 'my file.yaml'     " in head[3]


def test_what_is_not_known_is_a_comment():
    """A person only has to fill it in."""
    text = written()
    for line in (
        "  # model: the name that it serves its model by",
        "  # context: 65536",
        "  # kv_tokens: 100000",
        "  # memory_gib: 90",
        """  # log: ["Using 'MARLIN' NvFp4 MoE backend"]""",
    ):
        assert f"\n{line}\n" in text
    expect = read().expect
    assert (expect.model, expect.context, expect.kv_tokens, expect.log) == (None, None, None, ())
    assert expect.forbidden_log == ("Falling back",)
    assert "\nurl:" not in text
    assert "has no word for these" not in text


def test_what_the_engine_says_is_expected_of_the_new_one():
    """Its smallest context, and nine tenths of its KV cache."""
    facts = EngineFacts(
        "local-gemma",
        "http://127.0.0.1:8000",
        names=("gemma: it", "other"),
        max_model_len={"gemma: it": 65536, "other": 8192},
        capacity=Capacity(kv_cache_tokens=1000, sources={"kv_cache_tokens": Source.METRICS}),
    )
    file = read(facts=facts, url="http://127.0.0.1:8000")
    assert (file.expect.model, file.expect.context, file.expect.kv_tokens) == (
        "gemma: it",
        8192,
        900,
    )
    assert file.url == "http://127.0.0.1:8000"


@pytest.mark.parametrize("facts", [EngineFacts("g", "u"), EngineFacts("g", "u", names=())])
def test_an_engine_that_says_nothing_is_not_expected_to_be_anything(facts):
    """It may be down."""
    assert written(facts=facts) == written()


def test_what_the_last_start_says_is_expected_too():
    """Its kernels; its memory only as a comment, because a GPU may have its own."""
    log = EngineLog(weights_gib=15.5, kv_cache_gib=40.0, kv_cache_tokens=2000, moe_backend="MARLIN")
    running = Running("http://127.0.0.1:8000", log, 600.0)
    text = written(running=running)
    file = parse_rollout(text, name="rollout.yaml")
    assert file.expect.log == ("Using 'MARLIN'",)
    assert file.expect.kv_tokens == 1800
    assert "\n  # memory_gib: 55.5\n" in text
    assert file.expect.memory_gib is None


@pytest.mark.parametrize(
    ("start_s", "minutes"), [(None, 10), (0.0, 10), (60.0, 10), (600.0, 25), (3600.0, 125)]
)
def test_a_start_may_take_twice_its_last_one(start_s, minutes):
    """And at least ten minutes."""
    limits = read(running=Running(start_s=start_s)).limits
    assert limits.start.total_seconds() == minutes * 60


def test_what_a_file_cannot_say_is_a_comment_at_its_end():
    """One line each, whatever is in it."""
    lines = ["a terminal (--tty)", "its health check: CMD-SHELL a\n  b\ncontainer: evil"]
    text = written(left_out=lines)
    assert text.endswith(
        "the new container is without them:\n"
        "#   a terminal (--tty)\n"
        "#   its health check: CMD-SHELL a b container: evil\n"
    )
    assert parse_rollout(text, name="rollout.yaml") == read()


@pytest.mark.parametrize("engine", ["a: b", "x\ny: z", "#", "7", "null", "größe", '"', "{{ x }}"])
def test_a_name_that_others_chose_stays_a_name(engine):
    """It must not become configuration."""
    assert read(engine=engine).engine == engine


# --- what runs -------------------------------------------------------------------------------

LOG = """\
2026-01-30T00:00:00.000000000Z INFO Model loading took 99.0 GiB memory and 9.0 seconds
2026-01-31T08:00:01.000000000Z INFO non-default args: {'model': 'm'}
2026-01-31T08:01:00.000000000Z INFO Model loading took 15.73 GiB memory and 91.3 seconds
2026-01-31T08:02:00.500000000Z INFO GPU KV cache size: 262,144 tokens
2026-01-31T08:03:20.000000000Z INFO:     Application startup complete.
"""


@dataclass
class FakeHost:
    """A Docker that knows one container, or none."""

    described: dict[str, Any] | None
    images: dict[str, dict[str, Any]] = field(default_factory=dict)

    def container(self, name):
        """Describe it."""
        return self.described if name == "vllm" else None

    def image(self, name):
        """Describe an image."""
        return self.images.get(name)

    def log(self, name, *, timestamps):
        """Give the log of the container."""
        assert (name, timestamps) == ("vllm", True)
        return LOG


STARTED = {"State": {"Status": "running", "Running": True, "StartedAt": "2026-01-31T08:00:00Z"}}


def look(one, described=None, images=None):
    """Look at the container of an origin."""
    host = FakeHost(described, images or {})
    return running_of(cast("DockerHost", host), Origin("vllm", one))


def test_the_last_start_is_looked_at():
    """Not the one before; and from its start until it serves."""
    running = look(spec(command="vllm serve m", network="host"), STARTED)
    assert running.log is not None
    assert (running.log.weights_gib, running.log.kv_cache_tokens) == (15.73, 262_144)
    assert running.start_s == 200.0


@pytest.mark.parametrize(
    ("keys", "url"),
    [
        ({"network": "host", "command": "vllm serve m --port 8123"}, "http://127.0.0.1:8123"),
        ({"network": "host", "command": "vllm serve m"}, "http://127.0.0.1:8000"),
        ({"network": "host", "command": "sleep 1"}, None),
        ({"ports": ["127.0.0.1:8001:8000"]}, "http://127.0.0.1:8001"),
        ({"ports": ["8001:8000"]}, "http://127.0.0.1:8001"),
        ({"ports": ["8000"]}, None),
        ({}, None),
    ],
    ids=[
        "a flag",
        "vLLM's own",
        "no vLLM",
        "published",
        "published everywhere",
        "published somewhere",
        "not published",
    ],
)
def test_its_address_is_known_by_its_port(keys, url):
    """Also where nothing runs yet."""
    assert look(spec(**keys)) == Running(url)


def test_the_images_entrypoint_starts_it_too():
    """The command is only flags then."""
    one = spec(network="host", command="--model m --port 8123")
    entrypoint = ["python3", "-m", "vllm.entrypoints.openai.api_server"]
    image = {"Config": {"Entrypoint": entrypoint}}
    assert look(one).url is None
    assert look(one, images={one.image: image}).url == "http://127.0.0.1:8123"
