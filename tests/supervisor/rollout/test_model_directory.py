"""Whether a model's directory is whole, on real files."""

import hashlib
import json
import struct
from pathlib import Path

import pytest

from supervisor.rollout import model_directory
from supervisor.rollout.container_spec import ContainerSpec, Mount
from supervisor.rollout.model_directory import INDEX, SINGLE, ModelFiles, find, look_at
from tests.fakes.models import shard, whole_model

FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HOME = "/root/.cache/huggingface"
NAME = "google/gemma-4"


def spec(*mounts: str, **changes) -> ContainerSpec:
    """A container with these mounts."""
    return ContainerSpec(image="vllm", mounts=tuple(map(Mount.parse, mounts)), **changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A whole model of two shards."""
    made = tmp_path / "models" / "gemma"
    whole_model(made)
    return made


def look(folder: Path, **options) -> ModelFiles:
    """Look at it as a container does that has its parent at /models."""
    return look_at(f"/models/{folder.name}", spec(f"{folder.parent}:/models:ro"), **options)


def single(folder: Path) -> Path:
    """Put a single file of weights in the place of index and shards."""
    for path in (*folder.glob("*.safetensors"), folder / INDEX):
        path.unlink()
    shard(folder / SINGLE, "t")
    return folder / SINGLE


class Cache:
    """A cache of Hugging Face with one model, each of whose shards is a link to its content.

    Attributes:
        root: What is mounted.
        blobs: By name of a shard: where its content is.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repository = root / "hub" / "models--google--gemma-4"
        self.snapshot = self.repository / "snapshots" / COMMIT
        (self.repository / "blobs").mkdir(parents=True)
        (self.repository / "refs").mkdir()
        (self.repository / "refs" / "main").write_text(COMMIT)
        whole_model(self.snapshot)
        self.blobs = {path.name: self._moved(path) for path in self.snapshot.glob("*.safetensors")}

    def _moved(self, path: Path) -> Path:
        content = path.read_bytes()
        blob = self.repository / "blobs" / hashlib.sha256(content).hexdigest()
        path.rename(blob)
        path.symlink_to(Path("../../blobs") / blob.name)
        return blob


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """A whole model in a cache."""
    return Cache(tmp_path / "huggingface")


def cached(
    cache: Cache, *, hashes: bool = True, revision: str | None = None, **changes
) -> ModelFiles:
    """Look at it as a container does that has the cache where Hugging Face looks for it."""
    held = spec(f"{cache.root}:{HOME}", **changes)
    return look_at(NAME, held, revision=revision, hashes=hashes)


# --- a folder ---------------------------------------------------------------------------


def test_a_whole_model_has_no_problem(folder):
    """All of its weights are counted; files that are no links have no hash to check."""
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    assert look(folder) == ModelFiles(
        "/models/gemma", folder, weights_bytes=size, shards=2, hashed=0
    )


def test_a_shard_that_is_not_there_is_a_problem(folder):
    """The index names it; the others are looked at all the same."""
    (folder / SECOND).unlink()
    found = look(folder)
    assert found.problems == (f"{SECOND} is named by {INDEX} and is not there",)
    assert found.shards == 1


def test_a_shard_that_is_a_link_to_nothing_is_a_problem(folder):
    """As a cache leaves it whose content was cleaned away."""
    (folder / SECOND).unlink()
    (folder / SECOND).symlink_to(folder / "blob")
    assert look(folder).problems == (f"{SECOND} is named by {INDEX} and is a link to nothing",)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda whole: whole[:-1], "it was not fetched to its end"),
        (lambda whole: whole + b"x", "it has been changed"),
    ],
    ids=["one byte short", "one byte too long"],
)
def test_a_shard_of_another_length_than_its_header_says_is_a_problem(folder, change, why):
    """Both lengths are told."""
    whole = (folder / FIRST).read_bytes()
    changed = change(whole)
    (folder / FIRST).write_bytes(changed)
    assert look(folder).problems == (
        f"{FIRST} has {len(changed):,} bytes, and its header describes {len(whole):,}: {why}",
    )


def headed(header: bytes) -> bytes:
    """A file with a header of the right length."""
    return struct.pack("<Q", len(header)) + header


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "only 0 bytes"),
        (b"1234567", "only 7 bytes"),
        (b"<html>nothing here</html>", "no header of safetensors"),
        (headed(b"no JSON"), "no header of safetensors"),
        (headed(b"\xff\xff"), "no header of safetensors"),
        (headed(b"[1, 2]"), "no header of safetensors"),
        (headed(b"[" * 200_000), "no header of safetensors"),
        (headed(b""), "no header of safetensors"),
    ],
    ids=[
        *("empty", "too short", "a page", "no JSON", "no text", "a list", "far too deep"),
        "nothing in it",
    ],
)
def test_a_shard_without_a_header_is_a_problem(folder, content, why):
    """Whatever is in its place, an answer comes back."""
    (folder / FIRST).write_bytes(content)
    assert look(folder).problems == (f"{FIRST}: {why}",)


def test_what_a_header_says_beside_its_tensors_is_no_length(folder):
    """Metadata, and entries of another form."""
    header = {
        "__metadata__": {"data_offsets": [0, 999]},
        "t": {"data_offsets": [0, 4]},
        "u": {"data_offsets": ["a", "b"]},
        "v": "none",
    }
    (folder / FIRST).write_bytes(headed(json.dumps(header).encode()) + b"1234")
    assert look(folder).problems == ()


@pytest.mark.parametrize(
    "index",
    ['{"metadata": {}}', '{"weight_map": {}}', '{"weight_map": []}', "[]", "no JSON", ""],
    ids=["no shards", "an empty list", "of another kind", "a list", "no JSON", "empty"],
)
def test_an_index_that_names_no_shards_is_a_problem(folder, index):
    """Which files are needed cannot be known."""
    (folder / INDEX).write_text(index)
    found = look(folder)
    assert found.problems == (f"{folder / INDEX} names no shards",)
    assert found.shards == 0


def test_an_index_that_is_a_link_to_nothing_is_a_problem(folder):
    """It is not taken for a model without one."""
    (folder / INDEX).unlink()
    (folder / INDEX).symlink_to(folder / "blob")
    assert look(folder).problems == (f"{folder / INDEX} names no shards",)


def test_a_single_file_of_weights_needs_no_index(folder):
    """Small models have one."""
    size = single(folder).stat().st_size
    found = look(folder)
    assert (found.problems, found.doubts) == ((), ())
    assert (found.shards, found.weights_bytes) == (1, size)


def test_a_single_file_that_is_cut_short_is_a_problem(folder):
    """As every shard."""
    path = single(folder)
    path.write_bytes(path.read_bytes()[:-1])
    assert "was not fetched to its end" in look(folder).problems[0]


def test_files_without_an_index_are_all_looked_at(folder):
    """Whatever they are called."""
    (folder / INDEX).unlink()
    assert look(folder).shards == 2


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "gemma-Q4.gguf"])
def test_weights_of_another_kind_are_a_doubt(folder, name):
    """Nothing says how long they have to be."""
    single(folder).unlink()
    (folder / name).write_bytes(b"x" * 10)
    found = look(folder)
    assert found.problems == ()
    assert found.doubts == (f"weights in {name} and the like have no lengths to check",)
    assert (found.shards, found.weights_bytes) == (1, 10)


def test_a_folder_without_weights_is_a_problem(folder):
    """Configuration and tokenizer alone are no model."""
    single(folder).unlink()
    assert look(folder).problems == (f"{folder} has no weights",)


@pytest.mark.parametrize(
    ("text", "why"),
    [(None, "is not there"), ("{", "is not JSON"), ("", "is not JSON")],
    ids=["absent", "half of it", "empty"],
)
def test_a_model_without_its_configuration_is_a_problem(folder, text, why):
    """VLLM reads it first."""
    path = folder / "config.json"
    path.unlink()
    if text is not None:
        path.write_text(text)
    assert look(folder).problems == (f"{path} {why}",)


def test_mistrals_own_configuration_will_do(folder):
    """It is called params.json."""
    (folder / "config.json").rename(folder / "params.json")
    assert look(folder).problems == ()


def test_a_model_without_a_tokenizer_is_a_doubt(folder):
    """It may be named by a flag."""
    (folder / "tokenizer.json").unlink()
    found = look(folder)
    assert found.problems == ()
    assert [one.endswith("no tokenizer?") for one in found.doubts] == [True]


@pytest.mark.parametrize("name", ["tokenizer.model", "tekken.json", "vocab.json", "vocab.txt"])
def test_there_are_several_kinds_of_tokenizers(folder, name):
    """Each of them will do."""
    (folder / "tokenizer.json").rename(folder / name)
    assert look(folder).doubts == ()


def test_a_broken_download_beside_the_weights_is_told(folder):
    """It may be of a file that is there in an older version."""
    (folder / "model.safetensors.incomplete").touch()
    found = look(folder)
    assert found.problems == ()
    assert found.doubts == ("a download was broken off: model.safetensors.incomplete",)


def test_a_folder_that_is_not_there_is_a_problem(folder):
    """The mount is, and the model is not in it."""
    found = look(folder.parent / "qwen")
    assert found.problems == (f"{folder.parent / 'qwen'} is not there",)


def test_a_single_file_as_the_model_has_only_a_length(folder):
    """As a GGUF is given to vLLM."""
    path = folder / "gemma.gguf"
    path.write_bytes(b"x" * 10)
    found = look_at("/models/gemma/gemma.gguf", spec(f"{folder.parent}:/models"))
    assert (found.folder, found.problems, found.weights_bytes) == (path, (), 10)
    assert found.doubts == ("a single file; only its length is known",)


@pytest.mark.parametrize(
    ("asked_for", "mounts", "why"),
    [
        ("/opt/gemma", (), "/opt/gemma is in the image itself, or nowhere"),
        ("./gemma", ("/srv:/models",), "./gemma is in the image itself, or nowhere"),
        ("~/gemma", ("/srv:/models",), "~/gemma is in the image itself, or nowhere"),
        ("/models/gemma", ("weights:/models",), "/models/gemma is in the volume weights"),
    ],
    ids=["image", "relative", "home", "volume"],
)
@pytest.mark.parametrize("offline", [None, "1"], ids=["online", "offline"])
def test_a_model_that_is_not_on_this_machines_disk_is_a_doubt(asked_for, mounts, why, offline):
    """A start may find it all the same, and needs no network for it."""
    environment = {"HF_HUB_OFFLINE": offline} if offline else {}
    found = look_at(asked_for, spec(*mounts, environment=environment))
    assert found == ModelFiles(asked_for, None, (), (why,))


def test_the_innermost_mount_holds_a_model(tmp_path):
    """As Docker lays them over one another."""
    held = spec(f"{tmp_path}:/models", f"{tmp_path}/fast:/models/fast")
    assert find("/models/fast/gemma", held) == (tmp_path / "fast" / "gemma", "")
    assert find("/models/slow/gemma", held) == (tmp_path / "slow" / "gemma", "")


# --- Hugging Face's cache ---------------------------------------------------------------


def test_a_model_in_the_cache_is_found_and_checked_by_its_hash(cache):
    """Its name leads to the snapshot of its main revision."""
    found = cached(cache)
    assert (found.folder, found.problems, found.doubts) == (cache.snapshot, (), ())
    assert (found.shards, found.hashed) == (2, 2)
    assert found.weights_bytes == sum(blob.stat().st_size for blob in cache.blobs.values())


def test_a_changed_byte_is_found_by_the_hash_alone(cache):
    """The length is right, so that nothing else can tell."""
    blob = cache.blobs[SECOND]
    changed = blob.read_bytes()[:-1] + b"y"
    blob.write_bytes(changed)
    assert cached(cache, hashes=False).problems == ()
    assert cached(cache, hashes=False).hashed == 0
    (problem,) = cached(cache).problems
    assert problem.startswith(
        f"{SECOND} has the sha256 {hashlib.sha256(changed).hexdigest()[:12]}…, "
        f"and is named {blob.name[:12]}…"
    )


def test_a_link_to_a_file_that_is_not_named_by_a_hash_is_not_hashed(folder):
    """People link models from one disk to another."""
    (folder / FIRST).rename(folder / "elsewhere")
    (folder / FIRST).symlink_to("elsewhere")
    assert look(folder).hashed == 0


def test_who_waits_is_told_how_far_hashing_is(cache, monkeypatch):
    """Over all files together, and to the end."""
    monkeypatch.setattr(model_directory, "PIECE_BYTES", 50)
    told: list[tuple[str, int, int]] = []
    found = look_at(
        NAME, spec(f"{cache.root}:{HOME}"), tell=lambda *progress: told.append(progress)
    )
    assert list(dict.fromkeys(name for name, _, _ in told)) == [FIRST, SECOND]
    assert {total for _, _, total in told} == {found.weights_bytes}
    done = [read for _, read, _ in told]
    assert done == sorted(set(done)), "it never goes back"
    assert done[-1] == found.weights_bytes


def test_without_hashing_nobody_is_told(cache):
    """There is nothing to wait for."""
    told: list[tuple[str, int, int]] = []
    held = spec(f"{cache.root}:{HOME}")
    look_at(NAME, held, hashes=False, tell=lambda *progress: told.append(progress))
    assert told == []


def test_a_broken_download_in_the_cache_is_told(cache):
    """It lies beside the contents, not in the snapshot."""
    (cache.repository / "blobs" / "abc.incomplete").touch()
    assert cached(cache).doubts == ("a download was broken off: abc.incomplete",)


@pytest.mark.parametrize(
    ("target", "inside", "environment"),
    [
        (HOME, "", {}),
        ("/root/.cache", "huggingface", {}),
        ("/hf", "", {"HF_HOME": "/hf/"}),
        ("/hub", "hub", {"HF_HUB_CACHE": "/hub", "HF_HOME": "/elsewhere"}),
    ],
    ids=["the default", "above it", "HF_HOME", "HF_HUB_CACHE"],
)
def test_the_cache_is_where_the_container_looks_for_it(cache, target, inside, environment):
    """By its variables and its mounts."""
    source = cache.root.parent if inside == "huggingface" else cache.root / inside
    held = spec(f"{source}:{target}", environment=environment)
    assert find(NAME, held) == (cache.snapshot, "")


@pytest.mark.parametrize("revision", ["v2", COMMIT], ids=["a branch", "a commit"])
def test_a_revision_of_its_own_is_looked_for(cache, revision):
    """By its name, or by its commit."""
    (cache.repository / "refs" / "main").unlink()
    (cache.repository / "refs" / "v2").write_text(f"{COMMIT}\n")
    found = cached(cache, revision=revision)
    assert (found.folder, found.problems) == (cache.snapshot, ())


@pytest.mark.parametrize(
    ("environment", "forbidden"),
    [
        ({}, False),
        ({"HF_HUB_OFFLINE": "0"}, False),
        ({"HF_HUB_OFFLINE": None}, False),
        ({"HF_HUB_OFFLINE": "1"}, True),
        ({"HF_HUB_OFFLINE": "true"}, True),
    ],
    ids=["online", "0", "no value", "1", "true"],
)
@pytest.mark.parametrize(
    ("name", "mounted", "told"),
    [
        ("google/gemma-5", True, "models--google--gemma-5 has no revision main"),
        (NAME, False, "no folder of this machine is mounted at /root/.cache/huggingface/hub"),
    ],
    ids=["another model", "no mount"],
)
def test_a_model_that_is_not_in_the_cache_is_a_problem_only_where_it_may_not_be_fetched(
    cache, environment, forbidden, name, mounted, told
):
    """Else the start fetches it, however long that takes."""
    mounts = [f"{cache.root}:{HOME}"] if mounted else []
    found = look_at(name, spec(*mounts, environment=environment))
    said, other = (found.problems, found.doubts) if forbidden else (found.doubts, found.problems)
    assert other == ()
    assert len(said) == 1
    assert told in said[0]
    assert said[0].endswith("HF_HUB_OFFLINE forbids to fetch it") is forbidden


def test_a_revision_whose_snapshot_is_gone_is_a_problem(cache):
    """The reference alone is left."""
    cache.snapshot.rename(cache.root / "away")
    assert cached(cache).problems == (f"{cache.snapshot} is not there",)


def test_a_cache_in_a_volume_cannot_be_looked_at():
    """It is Docker's own folder."""
    (doubt,) = look_at(NAME, spec(f"cache:{HOME}")).doubts
    assert "no folder of this machine is mounted" in doubt
