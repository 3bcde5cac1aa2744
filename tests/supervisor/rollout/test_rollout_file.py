"""The rollout file: what it may say, and how every mistake in it is told."""

from datetime import timedelta

import pytest
import yaml
from jsonschema import Draft202012Validator

from chaos.errors import UsageError
from supervisor.rollout.rollout_file import RolloutFile, load_rollout, parse_rollout, schema

SHA = "0123456789abcdef" * 4

WHOLE = f"""
container: vllm-gemma
engine: local-gemma
url: http://127.0.0.1:8000/
run:
  image: vllm/vllm-openai:v0.11.0
  entrypoint: [vllm, serve]
  command: >-
    /models/gemma
    --max-model-len 65536
    --api-key '<as running>'
  environment:
    VLLM_USE_V1: "1"
    HF_TOKEN:
  mounts: ["/srv/models:/models:ro", "hf:/root/.cache/huggingface"]
  gpus: all
  network: host
  ipc: host
  shm_size: 16g
  ulimits: {{memlock: "-1"}}
  restart: unless-stopped
expect:
  model: gemma
  context: 65536
  kv_tokens: 100000
  memory_gib: 90.5
  log: ["Using 'MARLIN' NvFp4 MoE backend"]
  forbidden_log: [Falling back]
patched_for: {{/usr/lib/a.py: "sha256:{SHA.upper()}"}}
limits:
  drain: 90s
  start: 1h30m
  baseline_age: 3d
  free_memory_gib: 8
"""

SMALL = {"container": "a", "engine": "b", "run": {"image": "i"}}


def parsed(**keys):
    """Read a file with these keys beside the ones that it needs."""
    return parse_rollout(yaml.safe_dump({**SMALL, **keys}), name="r.yaml")


def refused(text):
    """Read a text that is wrong; give the error."""
    with pytest.raises(UsageError) as error:
        parse_rollout(text, name="r.yaml")
    return error.value


def test_a_whole_file_is_read_as_it_is_written():
    """One key of every kind."""
    one = parse_rollout(WHOLE, name="r.yaml")
    assert (one.container, one.engine, one.url) == (
        "vllm-gemma",
        "local-gemma",
        "http://127.0.0.1:8000",
    )
    assert one.run.command == (
        "/models/gemma",
        "--max-model-len",
        "65536",
        "--api-key",
        "<as running>",
    )
    assert one.run.environment == {"VLLM_USE_V1": "1", "HF_TOKEN": None}
    assert [str(mount) for mount in one.run.mounts] == [
        "/srv/models:/models:ro",
        "hf:/root/.cache/huggingface",
    ]
    assert (one.expect.model, one.expect.memory_gib) == ("gemma", 90.5)
    assert (one.limits.drain, one.limits.start) == (timedelta(seconds=90), timedelta(minutes=90))
    assert one.limits.stop == timedelta(minutes=1)


def test_it_comes_back_as_it_was():
    """From its own parts, in which mounts and ports are texts."""
    one = parse_rollout(WHOLE, name="r.yaml")
    raw = one.model_dump()
    assert raw["run"]["mounts"][0] == "/srv/models:/models:ro"
    assert RolloutFile.model_validate(raw) == one


def test_container_engine_and_image_are_enough():
    """Nothing is expected then, and the limits are the usual ones."""
    one = parsed()
    assert (one.url, one.run.command, one.expect.log) == (None, None, ())
    assert one.limits.baseline_age == timedelta(days=7)


def test_every_problem_is_told_at_once_with_its_path():
    """Nobody mends a file one error at a time."""
    text = """
        container: "-x"
        run:
          mounts: [/models, /a:/b]
          shm_size: lots
          restart: sometimes
          environment: {A: [1]}
        expect: {context: 0}
        limits: {drain: soon}
        patched_for: {/a.py: abc}
    """
    error = refused(text)
    first, *lines = error.message.splitlines()
    assert first == "r.yaml: 10 problems"
    assert sorted(line.split(": ")[0].strip() for line in lines) == sorted(
        [
            "container",
            "engine",
            "run.image",
            "run.mounts[0]",
            "run.shm_size",
            "run.restart",
            "run.environment.A",
            "expect.context",
            "limits.drain",
            "patched_for",
        ]
    )
    assert '  run.shm_size: "lots" is not a size, such as 16g' in lines
    assert "  engine: missing" in lines
    assert "understudy rollout schema" in error.remedy


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"engin": "b"}, "engin: unknown key; did you mean 'engine'?"),
        ({"limits": {"drian": "1m"}}, "limits.drian: unknown key; did you mean 'drain'?"),
        ({"expect": {"contxt": 1}}, "expect.contxt: unknown key; did you mean 'context'?"),
        (
            {"run": {"image": "i", "mount": []}},
            "run.mount: unknown key; did you mean 'mounts'?",
        ),
    ],
    ids=["at the top", "of the limits", "of what is expected", "of the container"],
)
def test_an_unknown_key_is_told_with_the_one_that_was_meant(keys, line):
    """It is looked for where it stands."""
    with pytest.raises(UsageError) as error:
        parsed(**keys)
    assert error.value.message == f"r.yaml: 1 problem\n  {line}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.yaml: the file holds nothing, not sections"),
        ("# only a comment\n", "r.yaml: the file holds nothing, not sections"),
        ("[a]", "r.yaml: the file holds a list, not sections"),
        ("vllm", "r.yaml: the file holds text, not sections"),
        ("12", "r.yaml: the file holds a number, not sections"),
    ],
    ids=["empty", "a comment", "a list", "text", "a number"],
)
def test_a_file_that_holds_something_else_is_refused(text, message):
    """It is told what it holds."""
    assert refused(text).message == message


def test_what_is_no_yaml_is_refused_with_its_place():
    """A person can go there."""
    assert "r.yaml: not YAML at line 2, column 5:" in refused("a: 1\nb: c: d").message


@pytest.mark.parametrize("text", ["a: " + "[" * 5000, "a: 2026-13-45"], ids=["deep", "no date"])
def test_yaml_that_cannot_be_built_is_refused_too(text):
    """Nobody sees a traceback."""
    assert refused(text).message.startswith("r.yaml: ")


def test_a_file_is_read_from_its_path(tmp_path):
    """And names it in its messages."""
    path = tmp_path / "r.yaml"
    path.write_text(WHOLE, "utf-8")
    assert load_rollout(path) == parse_rollout(WHOLE, name="other")
    path.write_text("", "utf-8")
    with pytest.raises(UsageError) as error:
        load_rollout(path)
    assert error.value.message.startswith(f"{path}: ")


def test_a_file_that_is_missing_is_told_with_how_to_get_one(tmp_path):
    """The remedy is a command."""
    with pytest.raises(UsageError) as error:
        load_rollout(tmp_path / "none.yaml")
    assert error.value.message == f"{tmp_path}/none.yaml: cannot be read: No such file or directory"
    assert "understudy rollout init" in error.value.remedy


def test_a_folder_is_no_file(tmp_path):
    """It says so in the system's words."""
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        load_rollout(tmp_path)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    """It would be read as another text."""
    path = tmp_path / "r.yaml"
    path.write_bytes("container: größe".encode("latin-1"))
    with pytest.raises(UsageError, match="cannot be read: not UTF-8 text"):
        load_rollout(path)


@pytest.mark.parametrize("given", [SHA, SHA.upper(), f"sha256:{SHA}"])
def test_a_hash_of_a_patched_file_is_kept_in_one_spelling(given):
    """As it is computed here."""
    assert parsed(patched_for={"/a.py": given}).patched_for == {"/a.py": SHA}


@pytest.mark.parametrize(
    "given", ["", SHA[:-1], SHA + "0", "g" * 64, f"md5:{SHA}"], ids=lambda given: given[:8]
)
def test_another_hash_is_refused_by_its_file(given):
    """A short one would never fit."""
    with pytest.raises(UsageError, match=r"patched_for: /a.py: not a sha256 in 64 hex"):
        parsed(patched_for={"/a.py": given})


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "ä"])
def test_a_name_that_no_container_has_is_refused(name):
    """It would become part of a command's line."""
    with pytest.raises(UsageError, match=r"  container: "):
        parsed(container=name)


@pytest.mark.parametrize(
    "limits",
    [{"drain": "-1s"}, {"start": "20"}, {"free_memory_gib": -1}, {"free_disk_gib": "much"}],
    ids=str,
)
def test_a_limit_that_is_none_is_refused(limits):
    """By its path."""
    (name,) = limits
    with pytest.raises(UsageError, match=rf"  limits\.{name}: "):
        parsed(limits=limits)


def test_the_url_is_one_of_http():
    """It is asked over HTTP."""
    with pytest.raises(UsageError, match=r"url: .* is not an http:// or https:// URL"):
        parsed(url="127.0.0.1:8000")


# --- the schema for editors ------------------------------------------------------------------


def complaints(raw):
    """List what an editor would underline."""
    return [error.message for error in Draft202012Validator(schema()).iter_errors(raw)]


def test_the_schema_is_one():
    """An editor reads it."""
    Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_schema_takes_a_whole_file():
    """What is right is not underlined."""
    assert complaints(yaml.safe_load(WHOLE)) == []
    assert complaints(SMALL) == []


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"engin": "b"}, "engin"),
        ({"limits": {"drian": "1m"}}, "drian"),
        ({"run": {"image": "i", "mount": []}}, "mount"),
    ],
    ids=["at the top", "of the limits", "of the container"],
)
def test_the_schema_refuses_a_misspelt_key(keys, wrong):
    """An editor underlines it."""
    (complaint,) = complaints({**SMALL, **keys})
    assert repr(wrong) in complaint


@pytest.mark.parametrize("key", ["container", "engine", "run"])
def test_the_schema_asks_for_what_is_needed(key):
    """Three keys have no default."""
    (complaint,) = complaints({name: value for name, value in SMALL.items() if name != key})
    assert complaint == f"{key!r} is a required property"


def test_every_key_of_the_schema_is_described():
    """The editor shows it beside the key."""
    whole = schema()
    parts = [whole, *whole["$defs"].values()]
    undescribed = [
        name
        for part in parts
        for name, one in part["properties"].items()
        if "description" not in one
    ]
    assert undescribed == []
