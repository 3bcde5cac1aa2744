"""What would be different."""

import pytest

from supervisor.engine.capacity import Capacity, Source
from supervisor.engine.log import EngineLog
from supervisor.rollout.changes import NOT_THERE, Change, changes_of, effective_of
from tests.fakes.rollouts import (
    NEW_ID,
    NEW_NAME,
    OLD_ID,
    OLD_NAME,
    WORDS,
    container,
    engine,
    facts,
    image,
    rollout_file,
)

SECRET = "sk-" + "1a" * 12
SAME_IMAGE = {"image": image(OLD_ID)}
"""Facts of a swap in which the image stays."""


def changed(*, old=None, run=None, **given) -> list[Change]:
    """The changes of a swap with the same image."""
    file = rollout_file(run={"image": OLD_NAME, **(run or {})})
    return list(changes_of(facts(old=old, file=file, **{**SAME_IMAGE, **given})))


def commands(before: str, after: str, **given) -> list[Change]:
    """The changes between two commands."""
    return changed(
        old=container(words=f"/models/gemma {before}"),
        run={"command": ["/models/gemma", *after.split()]},
        **given,
    )


def test_nothing_is_changed_where_the_file_says_what_runs():
    """Read in two ways, they are the same."""
    assert changed() == []


def test_without_a_running_container_nothing_can_be_compared():
    """Everything would be new."""
    assert changes_of(facts(running=None)) == ()


# --- the image --------------------------------------------------------------------------


def test_another_image_is_told_by_name_and_id():
    """Twelve digits of it."""
    assert changes_of(facts()) == (
        Change("image", f"{OLD_NAME} ({'1' * 12})", f"{NEW_NAME} ({'2' * 12})"),
    )


def test_an_image_that_moved_under_its_tag_is_a_change():
    """The name is the same, and what would run is not."""
    (found,) = changed(image=image(NEW_ID))
    assert found == Change("image", f"{OLD_NAME} ({'1' * 12})", f"{OLD_NAME} ({'2' * 12})")


def test_an_image_that_is_not_here_is_told_by_its_name_alone():
    """Its id is not known."""
    (found,) = changes_of(facts(image=None, command=facts().command))
    assert found.then == NEW_NAME


def test_an_image_that_is_named_by_its_id_is_not_named_twice():
    """The digits are there already."""
    (found,) = changed(run={"image": NEW_ID}, image=image(NEW_ID))
    assert found.then == NEW_ID


# --- the command ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("--max-num-seqs 4", "--max-num-seqs 8", Change("--max-num-seqs", "4", "8")),
        ("", "--enforce-eager", Change("--enforce-eager", NOT_THERE, "on")),
        ("--enforce-eager", "", Change("--enforce-eager", "on", NOT_THERE)),
        ("--lora-modules a b", "--lora-modules a", Change("--lora-modules", "a b", "a")),
        ("--max_num_seqs=4", "--max-num-seqs 5", Change("--max-num-seqs", "4", "5")),
        ("--api-key one", "--api-key two", Change("--api-key", "(hidden)", "(hidden)")),
        ("--api-key one", "", Change("--api-key", "(hidden)", NOT_THERE)),
    ],
    ids=[
        *("another value", "new", "gone", "fewer values", "in two spellings"),
        *("a secret", "a secret that is gone"),
    ],
)
def test_each_flag_that_differs_is_a_change(before, after, change):
    """As vLLM's help names it; secrets are hidden."""
    assert commands(before, after) == [change]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("--max_num_seqs=4", "--max-num-seqs 4"),
        ("-tp 2", "--tensor-parallel-size 2"),
        ('--speculative-config {"a":1,"b":[2]}', '--speculative-config {"b":[2],"a":1}'),
        ("--dtype auto --seed 1", "--seed 1 --dtype auto"),
    ],
    ids=["underscores", "short", "JSON in another order", "flags in another order"],
)
def test_what_is_only_written_in_another_way_is_no_change(before, after):
    """It means the same to vLLM."""
    assert commands(before, after) == []


def test_json_that_says_something_else_is_a_change():
    """It is shown as it was written."""
    (found,) = commands('--speculative-config {"a":1}', '--speculative-config {"a":2}')
    assert found == Change("--speculative-config", '{"a":1}', '{"a":2}')


def test_flags_are_told_in_the_order_of_the_running_command():
    """New ones come last."""
    found = commands("--seed 1 --dtype auto", "--block-size 16 --dtype half --seed 2")
    assert [one.what for one in found] == ["--seed", "--dtype", "--block-size"]


def test_another_model_is_one_change():
    """However it is named."""
    words = WORDS.replace("/models/gemma", "/models/gemma-5")
    (found,) = changed(run={"command": words})
    assert found == Change("model", "/models/gemma", "/models/gemma-5")
    named = "--model " + WORDS
    assert changed(run={"command": named}) == []


def test_another_way_to_start_it_is_a_change():
    """The rest of the command is the same."""
    entry = ["python3", "-m", "vllm.entrypoints.openai.api_server"]
    (found,) = changed(run={"entrypoint": entry, "command": WORDS})
    assert found == Change("started by", "vllm serve", " ".join(entry))


def test_what_the_running_engine_made_of_a_flag_is_told():
    """It may be something else than what was asked for."""
    told = engine(max_model_len={"gemma": 40960})
    (found,) = commands("--max-model-len 65536", "--max-model-len 131072", engine=told)
    assert found == Change("--max-model-len", "65536", "131072", "40960")


def test_what_it_made_of_it_is_not_told_where_it_is_the_same():
    """It would say it twice."""
    told = engine(max_model_len={"gemma": 65536})
    (found,) = commands("--max-model-len 65536", "--max-model-len 131072", engine=told)
    assert found.effective == ""


@pytest.mark.parametrize(
    ("flag", "log", "effective"),
    [
        ("--quantization", EngineLog(quantization="modelopt_fp4"), "modelopt_fp4"),
        ("--moe-backend", EngineLog(moe_backend="MARLIN"), "MARLIN"),
        ("--attention-backend", EngineLog(attention_backend="FLASHINFER"), "FLASHINFER"),
        ("--max-model-len", EngineLog(max_model_len=40960), "40960"),
        ("--seed", EngineLog(), ""),
    ],
)
def test_the_log_tells_what_was_chosen_where_nothing_was_asked_for(flag, log, effective):
    """A flag that is new then says what it replaces."""
    (found,) = commands("", f"{flag} 7", log=log, engine=None)
    assert found == Change(flag, NOT_THERE, "7", effective)


def test_another_engines_command_is_compared_as_it_is():
    """Its flags cannot be read."""
    (one, other) = changed(run={"entrypoint": ["llama-server"], "command": "-m /m"}, command=None)
    assert one == Change("entrypoint", "the image's own", "llama-server")
    assert other == Change("command", WORDS, "-m /m")


def test_a_secret_of_another_engines_command_is_hidden_too():
    """Flags are known by their names, whoever reads them."""
    old = container(
        words=f"-m /m --api-key {SECRET} --hf-token={SECRET}",
        config={"Entrypoint": ["llama-server"]},
    )
    run = {"entrypoint": ["llama-server"], "command": "-m /m"}
    (found,) = changed(old=old, run=run, command=None)
    assert (found.what, found.then) == ("command", "-m /m")
    assert "--api-key" in found.now
    assert SECRET not in str(found)


# --- variables, mounts, parts -----------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "then", "change"),
    [
        (["A=1"], {"A": "2"}, Change("$A", "1", "2")),
        ([], {"A": "1"}, Change("$A", NOT_THERE, "1")),
        (["A=1"], {}, Change("$A", "1", NOT_THERE)),
        ([], {"A": ""}, Change("$A", NOT_THERE, "")),
        ([], {"A": None}, Change("$A", NOT_THERE, "?")),
        ([f"HF_TOKEN={SECRET}"], {"HF_TOKEN": "x"}, Change("$HF_TOKEN", "(hidden)", "(hidden)")),
        ([f"HF_TOKEN={SECRET}"], {}, Change("$HF_TOKEN", "(hidden)", NOT_THERE)),
        (["HF_TOKEN="], {"HF_TOKEN": SECRET}, Change("$HF_TOKEN", "", "(hidden)")),
    ],
    ids=[
        *("another value", "new", "gone", "empty is not absent", "not known"),
        *("a secret", "a secret that is gone", "a secret that is new"),
    ],
)
def test_each_variable_that_differs_is_a_change(now, then, change):
    """Secrets are hidden; that there is none is no secret."""
    assert changed(old=container(config={"Env": now}), run={"environment": then}) == [change]


def test_what_the_image_sets_itself_is_no_change():
    """A new version may set it otherwise, and nobody asked for it."""
    assert changed(old=container(config={"Env": ["PATH=/usr/bin", "A=1"]}), run={
        "environment": {"A": "1"}
    }) == []  # fmt: skip


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        (["/srv/other:/models:ro"], [Change("mount /models", "/srv/models:ro", "/srv/other:ro")]),
        (["/srv/models:/models"], [Change("mount /models", "/srv/models:ro", "/srv/models")]),
        (
            ["/srv/models:/models:ro", "cache:/cache"],
            [Change("mount /cache", NOT_THERE, "cache")],
        ),
        ([], [Change("mount /models", "/srv/models:ro", NOT_THERE)]),
        (["/srv/models:/models/:ro"], []),
    ],
    ids=["another source", "writable", "new", "gone", "a slash more"],
)
def test_each_mount_that_differs_is_a_change(mounts, expected):
    """By its place in the container."""
    assert changed(run={"mounts": mounts}) == expected


@pytest.mark.parametrize(
    ("run", "change"),
    [
        ({"gpus": "device=0"}, Change("gpus", "all", "device=0")),
        ({"gpus": None}, Change("gpus", "all", NOT_THERE)),
        ({"network": "bridge"}, Change("network", "host", "bridge")),
        ({"ipc": "host"}, Change("ipc", NOT_THERE, "host")),
        ({"shm_size": "16g"}, Change("shm_size", NOT_THERE, "16g")),
        ({"privileged": True}, Change("privileged", NOT_THERE, "on")),
        ({"groups": ["44", "109"]}, Change("groups", NOT_THERE, "44, 109")),
        (
            {"ulimits": {"memlock": "-1", "stack": "67108864"}},
            Change("ulimits", NOT_THERE, "memlock=-1, stack=67108864"),
        ),
        ({"restart": "no"}, Change("restart", "unless-stopped", "no")),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
def test_each_part_that_differs_is_a_change(run, change):
    """In the words of the rollout file."""
    assert changed(run=run) == [change]


def test_no_secret_of_a_flag_or_variable_is_in_the_changes():
    """A plan is shown to others, and kept."""
    old = container(
        words=f"{WORDS} --api-key {SECRET}",
        config={"Env": [f"HF_TOKEN={SECRET}", f"VLLM_API_KEY={SECRET}"]},
    )
    found = changed(old=old)
    assert {one.what for one in found} == {"--api-key", "$HF_TOKEN", "$VLLM_API_KEY"}
    assert SECRET not in str(found)


# --- in effect --------------------------------------------------------------------------


def test_what_the_running_engine_is_in_effect_is_told_as_far_as_it_tells():
    """By the engine itself, and by its log."""
    log = EngineLog(
        version="0.31.0",
        weights_gib=50.5,
        quantization="fp8",
        moe_backend="MARLIN",
        attention_backend="FLASHINFER",
    )
    told = engine(
        names=("gemma", "gpt"),
        max_model_len={"gemma": 65536, "gpt": 32768},
        capacity=Capacity(kv_cache_tokens=123456, sources={"kv_cache_tokens": Source.METRICS}),
    )
    assert effective_of(facts(log=log, engine=told)) == (
        ("serves", "gemma, gpt"),
        ("vLLM", "0.31.0"),
        ("context", "32,768 tokens"),
        ("KV cache", "123,456 tokens"),
        ("weights", "50.5 GiB"),
        ("quantisation", "fp8"),
        ("MoE kernels", "MARLIN"),
        ("attention", "FLASHINFER"),
        ("last start", "185 s"),
    )


def test_an_engine_that_tells_nothing_leaves_nothing():
    """There are no empty rows."""
    assert effective_of(facts(engine=None, log=None, start_s=None)) == ()
    assert effective_of(facts(engine=engine(names=None, max_model_len={}), start_s=None)) == ()


def test_the_log_tells_the_context_where_the_engine_does_not():
    """It may be down."""
    found = effective_of(facts(engine=None, log=EngineLog(max_model_len=8192), start_s=None))
    assert found == (("context", "8,192 tokens"),)
