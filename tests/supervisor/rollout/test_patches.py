"""What mounted files replace."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor.rollout.container_spec import ContainerSpec, Mount
from supervisor.rollout.patches import (
    Patch,
    as_looks,
    extract,
    look_at,
    mounted_files,
    read_patches,
)
from supervisor.store.engines.patches import PatchLook
from tests.fakes.manual_clock import NOON
from tests.fakes.rollouts import ToldHost

OLD, NEW = "vllm:old", "vllm:new"
TARGET, OTHER = "/opt/vllm/parser.py", "/opt/vllm/other.py"


def sha(content: bytes) -> str:
    """The hash of a content."""
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A patch on this machine."""
    path = tmp_path / "patch.py"
    path.write_bytes(b"ours")
    return path


def spec(*mounts: str, image: str = NEW) -> ContainerSpec:
    """A container of the new image with these mounts."""
    return ContainerSpec(image=image, mounts=tuple(map(Mount.parse, mounts)))


def test_only_single_files_of_this_machine_may_be_patches(source, tmp_path):
    """Neither a folder, nor a volume, nor what is not there."""
    wanted = spec(f"{source}:{TARGET}", f"{tmp_path}:/models", "cache:/cache", "/none.py:/none.py")
    assert [one.target for one in mounted_files(wanted)] == [TARGET]


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ({TARGET: b"1"}, {TARGET: b"2"}, sha(b"1"), sha(b"2")),
        ({TARGET: b"1"}, {}, sha(b"1"), None),
        ({}, {TARGET: b"2"}, None, sha(b"2")),
        ({TARGET: b""}, {TARGET: b""}, sha(b""), sha(b"")),
    ],
    ids=["in both", "gone from the new one", "new in the new one", "empty in both"],
)
def test_a_patch_is_known_by_what_it_replaces(source, old, new, before, after):
    """In the old image and in the new one."""
    host = ToldHost(files={OLD: old, NEW: new})
    found = read_patches(host, spec(f"{source}:{TARGET}:ro"), OLD)
    assert found == (Patch(str(source), TARGET, sha(b"ours"), before, after),)


def test_a_file_that_replaces_nothing_is_no_patch(source):
    """A chat template, say."""
    assert read_patches(ToldHost(), spec(f"{source}:/template.jinja"), OLD) == ()


def test_the_same_image_is_looked_at_once(source):
    """Each look makes a container."""
    host = ToldHost(files={NEW: {TARGET: b"1"}})
    (found,) = read_patches(host, spec(f"{source}:{TARGET}"), NEW)
    assert (found.before, found.after) == (sha(b"1"), sha(b"1"))
    assert host.asked == [NEW]


def test_the_images_own_file_is_kept_beside_the_patch(source, tmp_path):
    """So that whoever makes the patch anew can compare them."""
    host = ToldHost(files={NEW: {TARGET: b"theirs"}})
    patches = (
        Patch(str(source), TARGET, sha(b"ours"), None, sha(b"theirs")),
        Patch(str(source), OTHER, sha(b"ours"), sha(b"1"), None),
    )
    kept = extract(host, patches, NEW, tmp_path / "kept")
    assert set(kept) == {TARGET, OTHER}
    place = kept[TARGET]
    assert place == tmp_path / "kept" / "opt__vllm__parser.py"
    assert (place / "image").read_bytes() == b"theirs"
    assert (place / "mounted").read_bytes() == b"ours"
    assert [path.name for path in kept[OTHER].iterdir()] == ["mounted"], "the image has none"


def test_keeping_them_twice_leaves_the_last(source, tmp_path):
    """A second stage of one rollout writes over the first."""
    patches = (Patch(str(source), TARGET, sha(b"ours"), None, sha(b"1")),)
    first, second = (
        extract(ToldHost(files={NEW: {TARGET: content}}), patches, NEW, tmp_path)
        for content in (b"1", b"2")
    )
    assert first == second
    assert (second[TARGET] / "image").read_bytes() == b"2"


# --- what is mounted over a container's image ---------------------------------------------


def described(*mounts: tuple[str, str, str]) -> dict[str, object]:
    """A container as Docker describes it."""
    kinds = ("Type", "Source", "Destination")
    return {
        "Name": "/vllm",
        "Image": OLD,
        "Mounts": [dict(zip(kinds, one, strict=True)) for one in mounts],
    }


def test_a_look_says_what_a_mounted_file_hides(source, tmp_path):
    """Only files of this machine that replace one of the image's own."""
    host = ToldHost(files={OLD: {TARGET: b"1"}})
    there = described(
        ("bind", str(source), TARGET),
        ("bind", str(source), "/template.jinja"),
        ("bind", str(tmp_path), "/models"),
        ("volume", "/var/lib/docker/volumes/x", OTHER),
    )
    assert look_at(host, there, (), NOON) == (
        PatchLook("vllm", TARGET, str(source), OLD, sha(b"1"), sha(b"ours"), None, NOON),
    )


def test_a_file_that_an_image_has_lost_is_told_where_it_was_known(source):
    """Else nobody would learn that the mount replaces nothing any more."""
    there = described(("bind", str(source), TARGET))
    assert look_at(ToldHost(), there, (), NOON) == ()
    (look,) = look_at(ToldHost(), there, [TARGET], NOON)
    assert (look.own, look.ours) == (None, sha(b"ours"))


def test_without_a_mounted_file_docker_is_not_asked(tmp_path):
    """No container is made for nothing."""
    host = ToldHost()
    assert look_at(host, described(("bind", str(tmp_path), "/models")), (), NOON) == ()


PATCH = Patch("/srv/a.py", TARGET, sha(b"ours"), sha(b"1"), sha(b"2"))


def test_a_rollout_tells_of_both_images():
    """The old one first: for its file the patch was made, unless the rollout file says which."""
    old, new = as_looks([PATCH], "vllm", OLD, NEW, {TARGET: sha(b"2")}, NOON)
    assert (old.image, old.own, old.made_for) == (OLD, sha(b"1"), None)
    assert (new.image, new.own, new.made_for) == (NEW, sha(b"2"), sha(b"2"))
    (_, new) = as_looks([PATCH], "vllm", OLD, NEW, {}, NOON)
    assert new.made_for is None


def test_the_same_image_is_told_once_and_a_new_file_has_no_past():
    """A flag was changed; or the old image had not the file."""
    assert len(as_looks([PATCH], "vllm", OLD, OLD, {}, NOON)) == 1
    (only,) = as_looks([replace(PATCH, before=None)], "vllm", OLD, NEW, {}, NOON)
    assert only.image == NEW
