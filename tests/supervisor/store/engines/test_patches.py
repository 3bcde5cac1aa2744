"""What mounted files replace: kept by image, with what each was made for."""

from dataclasses import replace

import pytest

from supervisor.store.engines import patches as module
from supervisor.store.engines.patches import PatchLook
from supervisor.store.store import Store
from tests.fakes.manual_clock import NOON

TARGET = "/usr/lib/python3/dist-packages/vllm/tool_parsers/gemma4.py"
FIRST = PatchLook("vllm", TARGET, "/srv/gemma4.py", "sha256:a", "1" * 64, "f" * 64, None, NOON)
"""The patch over the first image."""


def upgraded(**changes) -> PatchLook:
    """The same over another image, whose own file is another one."""
    return replace(FIRST, **{"image": "sha256:b", "own": "2" * 64, **changes})


async def test_a_patch_is_made_for_the_file_that_it_was_first_seen_over(store: Store):
    """And that holds over another image: there it hides what has changed."""
    (first,) = await store.note_patches([FIRST])
    assert first.made_for == "1" * 64
    assert not first.trouble
    (second,) = await store.note_patches([upgraded()])
    assert second.made_for == "1" * 64
    assert "222222222222…" in second.trouble
    assert "hides what changed" in second.trouble
    assert await store.patches() == (first, second)


async def test_an_image_with_the_same_file_is_no_trouble(store: Store):
    """Other files of it changed."""
    await store.note_patches([FIRST])
    (second,) = await store.note_patches([upgraded(own="1" * 64)])
    assert not second.trouble


async def test_a_patch_that_was_made_anew_is_made_for_what_it_is_first_seen_over(store: Store):
    """It is another file, so somebody has looked."""
    await store.note_patches([FIRST])
    (second,) = await store.note_patches([upgraded(ours="e" * 64)])
    assert (second.made_for, second.trouble) == ("2" * 64, "")


async def test_what_it_was_made_for_can_be_said(store: Store):
    """As a rollout file does, or a person who has compared them; it holds from then on."""
    await store.note_patches([FIRST])
    (said,) = await store.note_patches([upgraded(made_for="2" * 64)])
    assert not said.trouble
    (again,) = await store.note_patches([upgraded()])
    assert not again.trouble


@pytest.mark.parametrize(
    ("own", "ours", "words"),
    [(None, "f" * 64, "no such file any more"), ("f" * 64, "f" * 64, "not needed")],
)
async def test_a_mount_that_does_nothing_is_told(store: Store, own, ours, words):
    """The new image has not the file, or has it just so."""
    await store.note_patches([FIRST])
    (second,) = await store.note_patches([upgraded(own=own, ours=ours)])
    assert words in second.trouble


async def test_a_second_look_takes_the_place_of_the_first(store: Store, monkeypatch):
    """And of many images only the newest are kept."""
    await store.note_patches([FIRST])
    await store.note_patches([replace(FIRST, source="/srv/other.py")])
    (one,) = await store.patches()
    assert one.source == "/srv/other.py"
    monkeypatch.setattr(module, "MOST_IMAGES", 2)
    await store.note_patches([upgraded(image=f"sha256:{n}") for n in range(5)])
    assert [look.image for look in await store.patches()] == ["sha256:3", "sha256:4"]


async def test_containers_and_targets_have_their_own(store: Store):
    """What one was made for says nothing about the other."""
    await store.note_patches([FIRST])
    other, elsewhere = await store.note_patches(
        [upgraded(container="vllm-b"), upgraded(target="/elsewhere.py")]
    )
    assert (other.made_for, elsewhere.made_for) == ("2" * 64, "2" * 64)
