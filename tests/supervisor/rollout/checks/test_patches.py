"""A mounted patch was made for the file that it replaces."""

import pytest

from supervisor.rollout.checks.patches import check
from supervisor.rollout.finding import Answer
from supervisor.rollout.patches import Patch
from tests.fakes.rollouts import facts, rollout_file

TARGET = "/opt/vllm/parser.py"
OURS, BEFORE, AFTER = "a" * 64, "b" * 64, "c" * 64


def patch(before: str | None = BEFORE, after: str | None = BEFORE) -> Patch:
    """A patch that is mounted over one file."""
    return Patch("/srv/patch.py", TARGET, OURS, before, after)


def of(one: Patch, made_for: str | None = None):
    """Ask about one patch, with what the file says that it was made for."""
    file = rollout_file(patched_for={TARGET: made_for} if made_for else {})
    (found,) = check(facts(file=file, patches=(one,)))
    return found


@pytest.mark.parametrize(
    ("one", "made_for"),
    [(patch(), None), (patch(after=AFTER), AFTER), (patch(before=None, after=AFTER), AFTER)],
    ids=["the same file in both images", "made for the new one", "new, and made for it"],
)
def test_a_patch_of_the_file_that_it_was_made_for_is_fine(one, made_for):
    """By its hash, which is told."""
    found = of(one, made_for)
    assert (found.check, found.answer) == ("patches", Answer.OK)
    assert found.asked == f"/srv/patch.py was made for the image's own {TARGET}"
    assert found.came == f"{(one.after or '')[:12]}…, as it was made for"


@pytest.mark.parametrize(
    ("one", "made_for", "told"),
    [
        (patch(after=AFTER), None, "before bbbbbbbbbbbb…"),
        (patch(after=AFTER), BEFORE, "expected bbbbbbbbbbbb…"),
        (patch(), AFTER, "expected cccccccccccc…"),
        (patch(before=None, after=AFTER), None, "before none…"),
    ],
    ids=["changed", "made for the old one", "made for another one", "new in the new image"],
)
def test_a_patch_of_another_file_is_refused(one, made_for, told):
    """It would bring the old file back; what to write into the rollout file is in the remedy."""
    found = of(one, made_for)
    assert found.answer is Answer.REFUSED
    assert told in found.came
    assert f"patched_for: {{{TARGET}: {one.after}}}" in found.remedy


def test_a_patch_that_would_replace_nothing_is_refused():
    """The new image does not have that file any more."""
    found = of(patch(after=None))
    assert found.answer is Answer.REFUSED
    assert f"the new image has no {TARGET}" in found.came
    assert "Leave the mount out" in found.remedy


def test_a_patch_that_the_new_image_has_already_is_a_warning():
    """It does no harm, and is not needed."""
    found = of(patch(after=OURS))
    assert (found.answer, found.remedy) == (Answer.WARNING, "Leave the mount out.")


def test_each_patch_is_asked_for_and_without_one_nothing_is():
    """In their order."""
    other = Patch("/srv/other.py", "/opt/other.py", OURS, BEFORE, None)
    assert [one.answer for one in check(facts(patches=(patch(), other)))] == [
        Answer.OK,
        Answer.REFUSED,
    ]
    assert list(check(facts(patches=()))) == []
