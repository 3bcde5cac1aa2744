"""vllm's command line, however it is started."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.rollout.command_line import (
    SHORT,
    VllmCommand,
    canonical,
    is_secret,
    read_command,
    same_value,
    shown,
    unknown_flags,
    with_running_values,
)
from supervisor.rollout.container_spec import SAME


def read(*words):
    """Read a command that starts vLLM."""
    command = read_command(words)
    assert command is not None
    return command


def flags(*words):
    """Read the flags after ``vllm serve m``."""
    return dict(read("vllm", "serve", "m", *words).flags)


# --- where it begins -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "before"),
    [
        (["vllm", "serve"], ["vllm", "serve"]),
        (["/usr/local/bin/vllm", "serve"], ["/usr/local/bin/vllm", "serve"]),
        (["numactl", "-N", "0", "vllm", "serve"], ["numactl", "-N", "0", "vllm", "serve"]),
        (
            ["python3", "-m", "vllm.entrypoints.cli.main", "serve"],
            ["python3", "-m", "vllm.entrypoints.cli.main", "serve"],
        ),
    ],
    ids=["vllm", "by its path", "behind another program", "as a module"],
)
def test_vllm_serve_is_found_where_it_stands(words, before):
    """What is before it is told apart."""
    command = read(*words, "org/m", "--port", "8001")
    assert command == VllmCommand(
        "org/m", {"--port": ("8001",)}, ("org/m", "--port", "8001"), tuple(before)
    )


@pytest.mark.parametrize(
    "module", ["vllm.entrypoints.openai.api_server", "vllm.entrypoints.api_server"]
)
def test_the_server_is_started_as_a_module_too(module):
    """Its model is a flag there."""
    command = read("python3", "-m", module, "--model", "/models/m", "--port=1")
    assert command.before == ("python3", "-m", module)
    assert (command.model, command.value("--port")) == ("/models/m", "1")


@pytest.mark.parametrize(
    "line",
    [
        "vllm serve m --port 1",
        "exec vllm serve m --port 1",
        "cd /srv && exec vllm serve m --port 1",
        "export A=1; vllm serve m --port 1",
        "export A=1 ; vllm serve m --port 1; echo ended",
        "pip install x && vllm serve m --port 1 || exit 1",
        "vllm serve m --port 1 2>&1 | tee /log",
        "vllm serve m --port 1 > /log",
        "vllm serve \\\n  m \\\n  --port 1\n",
        "# how it is started\nvllm serve m --port 1 # here",
        "sleep 1 & vllm serve 'm' \"--port\" 1",
        "python3 -m vllm.entrypoints.openai.api_server --model m --port 1",
    ],
)
@pytest.mark.parametrize("shell", [["bash", "-c"], ["/bin/sh", "-ec"], ["bash", "-l", "-c"]])
def test_a_shells_line_is_read_as_far_as_it_is_vllms(shell, line):
    """The commands around it are no flags."""
    command = read(*shell, line)
    assert command.model == "m"
    assert command.value("--port") == "1"
    assert set(command.flags) <= {"--port", "--model"}


def test_what_follows_a_shells_line_is_no_part_of_it():
    """They are the line's own arguments, $0 and on."""
    assert read("bash", "-c", "vllm serve m", "--port", "1").flags == {}


def test_vllm_after_a_shell_that_runs_a_script_is_read_as_it_stands():
    """A script gets the words as they are, and often hands them on."""
    assert read("bash", "/entry.sh", "vllm", "serve", "m").model == "m"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["vllm"],
        ["serve", "m"],
        ["vllm", "bench", "serve"],
        ["python3", "-m", "sglang.launch_server", "--model", "m"],
        ["vllm.entrypoints.openai.api_server"],
        ["bash", "-c", "sleep infinity"],
        ["bash", "-c", "vllm serve 'open"],
        ["bash", "-c"],
        ["bash"],
    ],
    ids=lambda words: " ".join(words) or "nothing",
)
def test_another_command_is_none(words):
    """Nothing is guessed of it."""
    assert read_command(words) is None


# --- flags -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "read_as"),
    [
        (["--max-model-len", "8192"], {"--max-model-len": ("8192",)}),
        (["--max-model-len=8192"], {"--max-model-len": ("8192",)}),
        (["--max_model_len", "8192"], {"--max-model-len": ("8192",)}),
        (["--max_model_len=8_192"], {"--max-model-len": ("8_192",)}),
        (["-tp", "2"], {"--tensor-parallel-size": ("2",)}),
        (["-tp=2"], {"--tensor-parallel-size": ("2",)}),
        (["-O3"], {"--compilation-config": ("3",)}),
        (["-O", "3"], {"-O": ("3",)}),
        (["--enforce-eager"], {"--enforce-eager": ()}),
        (["--enforce-eager", "--x"], {"--enforce-eager": (), "--x": ()}),
        (["--served-model-name", "a", "b"], {"--served-model-name": ("a", "b")}),
        (["--seed", "-1"], {"--seed": ("-1",)}),
        (["--x", "-.5", "-0.5"], {"--x": ("-.5", "-0.5")}),
        (["--x", "-"], {"--x": ("-",)}),
        (["--x="], {"--x": ("",)}),
        (["--x=a=b"], {"--x": ("a=b",)}),
        (["--port", "1", "--port", "2"], {"--port": ("2",)}),
        (["--hf_overrides.rope_scaling", "x"], {"--hf-overrides.rope_scaling": ("x",)}),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_a_flag_is_named_as_vllms_help_names_it(words, read_as):
    """In whatever way it is written; of a flag that is repeated, the last counts."""
    assert flags(*words) == read_as


@pytest.mark.parametrize("short", sorted(SHORT))
def test_every_short_flag_has_its_long_name(short):
    """A plan compares by it."""
    assert canonical(short) == SHORT[short]
    assert canonical(SHORT[short]) == SHORT[short]


def test_values_are_none_where_they_are_not_given():
    """Neither for a flag without one, nor for one that is not there."""
    command = read("vllm", "serve", "m", "--enforce-eager")
    assert command.value("--enforce-eager") is None
    assert command.value("--port") is None


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["m", "--served-model-name", "a", "b"], "a"),
        (["m"], "m"),
        (["--model", "m"], "m"),
        (["m", "--model", "n"], "m"),
        (["--port", "1"], None),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_clients_ask_for_the_first_name_or_else_the_model(words, name):
    """The positional one comes before the flag."""
    assert read("vllm", "serve", *words).served_name == name


WORD = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@given(st.lists(st.one_of(WORD, st.sampled_from(["--x", "-tp", "--a=b", "-O3", "-1", "serve"]))))
def test_the_words_after_serve_are_kept_as_they_are(words):
    """Whatever they are, and in their order."""
    command = read("vllm", "serve", *words)
    assert command.order == tuple(words)
    assert command.before == ("vllm", "serve")


@given(
    st.dictionaries(
        st.from_regex(r"--[a-z]{1,8}(-[a-z]{1,8})?", fullmatch=True),
        st.from_regex(r"[A-Za-z0-9{\[/.][^\x00]{0,10}", fullmatch=True),
    )
)
def test_an_equals_sign_and_a_space_say_the_same(given_flags):
    """For every flag with one value."""
    spaced = [word for flag, value in given_flags.items() for word in (flag, value)]
    joined = [f"{flag}={value}" for flag, value in given_flags.items()]
    assert flags(*spaced) == flags(*joined) == {f: (v,) for f, v in given_flags.items()}


# --- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (["1"], ["1"], True),
        ([], [], True),
        (["1"], ["2"], False),
        (["1"], [], False),
        (["a", "b"], ["b", "a"], False),
        (['{"a":1,"b":[1,2]}'], ['{ "b": [1, 2], "a": 1 }'], True),
        (["[1,2]"], ["[ 1, 2 ]"], True),
        (["[1,2]"], ["[2,1]"], False),
        (['{"a":1}'], ['{"a":"1"}'], False),
        (["{open"], ["{open"], True),
        (["{open"], ["{ open"], False),
        (["1.0"], ["1"], False),
        (["[" * 100_000], ["[" * 100_000], True),
    ],
    ids=lambda one: json.dumps(one)[:30] if isinstance(one, list) else "",
)
def test_json_is_compared_by_what_it_means(one, other, same):
    """Everything else by how it is written."""
    assert same_value(one, other) is same
    assert same_value(other, one) is same


KNOWN = (
    "--max-model-len",
    "--max-num-seqs",
    "--max-num-batched-tokens",
    "--enable-prefix-caching",
    "--compilation-config",
    "--tensor-parallel-size",
)


@pytest.mark.parametrize(
    ("words", "unknown"),
    [
        (["--max-model-len", "1"], []),
        (["--max_model_len=1", "-tp", "2", "-O2"], []),
        (["--max-model-length", "1"], [("--max-model-length", "did you mean '--max-model-len'?")]),
        (["--no-enable-prefix-caching"], []),
        (
            ["--no-prefix-caching"],
            [("--no-prefix-caching", "did you mean '--enable-prefix-caching'?")],
        ),
        (["--max-mod", "1"], []),
        (["--max-n", "1"], [("--max-n", "did you mean '--max-num-seqs'?")]),
        (["--compilation-config.mode=3"], []),
        (
            ["--compilation-confg.mode=3"],
            [("--compilation-confg.mode", "did you mean '--compilation-config'?")],
        ),
        (["--model", "m", "--help", "-h"], []),
    ],
    ids=lambda one: " ".join(one) if one and isinstance(one[0], str) else "",
)
def test_a_flag_that_the_package_does_not_have_is_told(words, unknown):
    """With the one that was meant; beginnings, opposites and fields of a value are known."""
    assert unknown_flags(read("vllm", "serve", "m", *words), KNOWN) == unknown


def test_a_flag_like_no_other_is_told_with_all_there_are():
    """Nothing is suggested that is not near."""
    ((flag, told),) = unknown_flags(read("vllm", "serve", "m", "--zzz"), ["--port", "-h"])
    assert (flag, told) == ("--zzz", "one of: --port")


# --- secrets ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "--api-key",
        "--api_key",
        "--hf-token",
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "VLLM_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "aws_access_key_id",
        "DB_PASSWORD",
        "REDIS_PASSWD",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ],
)
def test_a_secret_is_known_by_its_name(name):
    """And never shown."""
    assert is_secret(name)
    assert shown(name, ["sk-1"]) == "(hidden)"
    assert shown(name, []) == "(hidden)"


@pytest.mark.parametrize(
    "name",
    [
        "--tokenizer",
        "--tokenizer-mode",
        "TOKENIZERS_PARALLELISM",
        "--max-num-batched-tokens",
        "--tokens-only",
        "--return-tokens-as-token-ids",
        "--ssl-keyfile",
        "VLLM_KEEP_ALIVE_ON_ENGINE_DEATH",
        "--port",
        "PATH",
        "",
    ],
)
def test_what_only_looks_like_a_secret_is_shown(name):
    """A plan that hid it would hide a difference."""
    assert not is_secret(name)
    assert shown(name, ["a", "b"]) == "a b"


def test_a_flag_without_a_value_is_on():
    """So it is told in a plan."""
    assert shown("--enforce-eager", []) == "on"


# --- values of what runs ---------------------------------------------------------------------

RUNNING = read("vllm", "serve", "m", "--api-key", "sk-1", "-tp", "2", "--enforce-eager")


@pytest.mark.parametrize(
    ("words", "filled"),
    [
        (["--api-key", SAME, "--x"], ["--api-key", "sk-1", "--x"]),
        ([f"--api-key={SAME}"], ["--api-key=sk-1"]),
        ([f"--api_key={SAME}"], ["--api_key=sk-1"]),
        (["--api_key", SAME], ["--api_key", "sk-1"]),
        (["--tensor-parallel-size", SAME], ["--tensor-parallel-size", "2"]),
        ([f"-tp={SAME}"], ["-tp=2"]),
        (["m", "--api-key", "sk-2"], ["m", "--api-key", "sk-2"]),
        ([], []),
    ],
    ids=lambda words: " ".join(words) or "nothing",
)
def test_a_value_is_taken_from_what_runs(words, filled):
    """In the spelling of the new command."""
    assert with_running_values(words, RUNNING) == tuple(filled)


@pytest.mark.parametrize(
    ("words", "running", "name"),
    [
        (["--api-key", SAME], None, "--api-key"),
        ([f"--api-key={SAME}"], None, "--api-key"),
        (["--hf_token", SAME], RUNNING, "--hf-token"),
        (["--enforce-eager", SAME], RUNNING, "--enforce-eager"),
        ([SAME], RUNNING, SAME),
    ],
    ids=["nothing runs", "nothing runs, one word", "not given", "without a value", "no flag"],
)
def test_a_value_that_what_runs_does_not_have_is_told(words, running, name):
    """The text must never become the value."""
    with pytest.raises(ValueError, match=rf"^the running container has no value for {name}$"):
        with_running_values(words, running)
